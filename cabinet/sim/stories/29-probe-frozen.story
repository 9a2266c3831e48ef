# The thermometer is frozen
scenario 29
the probe is frozen
40 s pass
25 s pass
ann comes
ann tries the door
expect no visit
expect out of service
the probe is well
2 s pass
expect in service
