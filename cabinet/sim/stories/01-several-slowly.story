# Takes several things, one after the other
scenario 1
ann comes
ann opens
ann takes cola from s1 slowly
ann takes chips from s3 slowly
ann takes 2 candy from s4 slowly
ann closes
expect charge 1 cola, 1 chips, 2 candy
expect no incident
