# The program is killed as the door is shut
scenario 30
ann comes
ann opens
ann takes cola from s1
the daemon is killed at the next step
ann closes
expect charge 1 cola or review
expect the door locked
