# The program is killed while the door is open
scenario 30
ann comes
ann opens
ann takes cola from s1
the daemon is killed
2 s pass
the daemon starts
ann takes chips from s3
ann closes
expect charge 1 cola, 1 chips or review
expect the door locked
