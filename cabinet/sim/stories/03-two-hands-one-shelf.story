# Takes two different things at once from one shelf
scenario 3
ann comes
ann opens
ann takes chips and nuts from s3 with two hands
ann closes
expect charge 1 chips, 1 nuts
