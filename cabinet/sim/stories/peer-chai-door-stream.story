# The door's stream fails while the closing is waited for
scenario peer: CHAI
ann comes
ann opens
ann takes cola from s1
the board is unplugged
ann closes
10 s pass
the board is plugged in
expect charge 1 cola or review
expect the door locked
