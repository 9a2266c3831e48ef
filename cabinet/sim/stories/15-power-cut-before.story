# The power fails after the unlock, before the door is opened
scenario 15
ann comes
the power fails
3 s pass
ann tries the door
the power returns
expect nothing or void or review
expect the door locked
