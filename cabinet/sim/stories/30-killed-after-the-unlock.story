# The program is killed between unlock and opening
scenario 30
ann comes
the daemon is killed
2 s pass
ann tries the door
the daemon starts
expect nothing or void or review
expect the door locked
