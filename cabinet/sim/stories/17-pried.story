# The door is pried open
scenario 17
eve pries the door open
eve takes cola from s1
expect incident opened without an unlock
expect out of service
eve closes
expect no visit
expect out of service
