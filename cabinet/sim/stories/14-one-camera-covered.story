# One camera is covered: the masses still tally, and it is told
scenario 14
ann comes
ann opens
the camera top is covered
ann takes cola from s1
ann closes
expect charge 1 cola
expect incident covered
expect out of service
