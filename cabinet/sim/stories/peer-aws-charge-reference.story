# A retry is no second charge
scenario peer: AWS
ann comes
ann opens
ann takes cola from s1
ann closes
1 s pass
the daemon is killed at the next step
expect charge 1 cola or review
expect the books agree
