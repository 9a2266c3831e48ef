# Takes two different things at once
scenario 3
ann comes
ann opens
ann takes cola from s1 and chips from s3 with two hands
ann closes
expect charge 1 cola, 1 chips
expect no incident
