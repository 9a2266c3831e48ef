# The catalogue is empty: it refuses to judge
scenario 38
the catalogue is empty
ann comes
ann tries the door
expect no visit
expect out of service
