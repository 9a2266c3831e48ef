# The cell stream dies: later visits are not free
scenario peer: CHAI
ann comes
ann opens
the cell of s3 is dead
ann takes nuts from s3
ann closes
expect review
bob comes
bob tries the door
expect out of service
expect the door locked
