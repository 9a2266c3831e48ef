# The evidence gives the same bill again
scenario 24
ann comes
ann opens
ann takes cola from s1
ann takes chips from s3
ann closes
expect charge 1 cola, 1 chips
expect the same bill again
