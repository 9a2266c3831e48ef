# The power fails while the door is open
scenario 15
ann comes
ann opens
ann takes cola from s1
the power fails
ann takes chips from s3
ann closes
20 s pass
the power returns
expect charge 1 cola, 1 chips or review
expect the door locked
