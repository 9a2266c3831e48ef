# The board fails as the bill is shown: the charge stands
scenario peer: Intel
ann comes
ann opens
ann takes cola from s1
ann closes
the board is unplugged
20 s pass
the board is plugged in
expect charge 1 cola or review
expect in service
