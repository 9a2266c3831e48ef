# A magnet tells the switch that the door is shut
scenario 17
ann comes
a magnet holds the switch
ann opens
ann takes cola from s1
ann waits 15 s
ann closes
a magnet leaves the switch
expect incident door
expect review or charge 1 cola
