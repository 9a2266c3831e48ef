# A sleeve keeps the bolt out for a while
scenario 13
ann comes
ann opens
ann takes cola from s1
the bolt jams out
ann closes
ann waits 4 s
the bolt is free
expect charge 1 cola
expect the door locked
