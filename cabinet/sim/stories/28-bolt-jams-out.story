# The bolt does not come out after the closing
scenario 28
ann comes
ann opens
ann takes cola from s1
the bolt jams out
ann closes
4 min pass
expect incident door
the bolt is free
expect charge 1 cola
expect the door locked
