# The disk is full: nothing is unlocked that cannot be recorded
scenario 32
the disk is full
ann comes
ann tries the door
15 s pass
expect void
expect out of service
expect the door locked
the disk has room
15 s pass
expect in service
