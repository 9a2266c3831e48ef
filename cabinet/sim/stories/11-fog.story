# A warm day: the lens fogs as the door opens
scenario 11
ann comes
ann opens
the camera top is fogged
ann takes cola from s1
ann closes
expect charge 1 cola or review
