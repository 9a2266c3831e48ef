# Two doors, one hold
scenario 10
later a second door: the cabinet has one, and this tells the visit behind it
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
