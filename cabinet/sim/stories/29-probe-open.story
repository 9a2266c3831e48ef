# The thermometer is open
scenario 29
the probe is open
ann comes
ann tries the door
expect no visit
expect out of service
the probe is well
expect in service
