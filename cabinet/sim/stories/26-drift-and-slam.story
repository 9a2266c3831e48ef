# Cold drift, creep, compressor and a slammed door
scenario 26
with drift 4
with creep 4
the compressor starts
ann comes
ann opens
ann takes lime from s2
ann waits 60 s
ann slams the door
expect charge 1 lime or review
