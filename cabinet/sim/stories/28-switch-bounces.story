# The door switch bounces
scenario 28
ann comes
ann opens
ann bounces the door
expect nothing
