# The ledger could not be written: afterwards everybody is served again
scenario peer: Intel
the disk is full
ann comes
ann tries the door
15 s pass
expect void
the disk has room
10 s pass
bob comes
bob opens
bob takes cola from s1
bob closes
expect charge 1 cola
tom serves to service
tom opens
tom closes
expect serviced
