# The bolt is stuck in the strike
scenario 28
the bolt jams in
ann comes
ann tries the door
15 s pass
expect void
expect out of service
expect the door locked
