# A cell is dead during the visit
scenario 25
ann comes
ann opens
the cell of s1 is dead
ann takes cola from s1
ann closes
expect review
expect out of service
