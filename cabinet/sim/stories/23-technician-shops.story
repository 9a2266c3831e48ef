# A technician takes a bottle during service
scenario 23
tom serves to service
tom opens
tom takes cola from s1
tom closes
expect serviced
expect incident goods left during a service: zone s1
expect incident 1 x Cola 0.5 l (cola) would explain it
