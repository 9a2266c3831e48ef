# Above the limit with the door shut: locked until serviced
scenario 42
the air is 9 C
31 min pass
expect out of service
ann comes
ann tries the door
expect no visit
the air is 4 C
5 min pass
expect out of service
tom serves to service
tom opens
tom closes
expect serviced
expect in service
