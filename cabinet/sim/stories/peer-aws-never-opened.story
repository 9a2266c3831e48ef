# Unlocked and never opened: it relocks
scenario peer: AWS
ann comes
12 s pass
ann tries the door
expect void
expect the door locked
expect in service
