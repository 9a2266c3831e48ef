# A magnet is put on the switch while the door is open
scenario 17
ann comes
ann opens
a magnet holds the switch
ann takes cola from s1
ann waits 5 s
ann takes chips from s3
a magnet leaves the switch
ann closes
expect charge 1 cola, 1 chips or review
