# The thermometer is short
scenario 29
the probe is short
2 s pass
ann comes
ann tries the door
expect no visit
expect out of service
the probe is well
2 s pass
expect in service
