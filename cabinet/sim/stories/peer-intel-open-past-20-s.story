# The door stands open for a minute: the visit is kept
scenario peer: Intel
ann comes
ann opens
ann takes cola from s1
65 s pass
ann takes chips from s3
ann closes
expect charge 1 cola, 1 chips
