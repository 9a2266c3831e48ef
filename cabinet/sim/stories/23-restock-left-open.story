# The restock is left open
scenario 23
tom serves to restock
tom opens
40 min pass
expect incident open
tom closes
expect serviced
