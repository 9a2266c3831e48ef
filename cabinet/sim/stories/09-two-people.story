# Two people, one visit: handed over, and the opener pays
scenario 9
ann comes
ann opens
ann takes cola from s1
ann hands cola to bob
bob takes chips from s3
bob leaves
ann closes
expect charge 1 cola, 1 chips
