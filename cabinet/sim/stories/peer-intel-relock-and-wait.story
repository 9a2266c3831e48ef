# The lock relocks when the machine stops waiting, not before
scenario peer: Intel
ann comes
8 s pass
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
