# Brings it back after the door was closed
scenario 2
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
ann comes
ann opens
ann puts cola back on s1
ann closes
expect review
