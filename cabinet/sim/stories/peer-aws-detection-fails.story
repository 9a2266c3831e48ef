# The sensors fail in a visit: the machine is not dead afterwards
scenario peer: AWS
ann comes
ann opens
the cell of s1 is dead
ann takes cola from s1
ann closes
expect review
expect out of service
the cell of s1 is well
5 s pass
expect in service
bob comes
bob opens
bob takes lime from s2
bob closes
expect charge 1 lime
