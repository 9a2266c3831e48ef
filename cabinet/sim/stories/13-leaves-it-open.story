# Walks away and leaves the door open; a neighbour shuts it
scenario 13
ann comes
ann opens
ann takes cola from s1
ann leaves
4 min pass
expect incident door held open
bob closes
expect charge 1 cola
