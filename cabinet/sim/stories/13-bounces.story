# The door bounces before it stays shut
scenario 13
ann comes
ann opens
ann takes cola from s1
ann bounces the door
expect charge 1 cola
expect the door locked
