# The latch is bridged and the door held ajar
scenario 17
ann comes
ann opens
ann takes cola from s1
the bolt jams out
ann closes
4 min pass
expect incident door
the bolt is free
expect charge 1 cola
