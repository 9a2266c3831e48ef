# A technician takes a bottle during service
scenario 23
later issue 6: masses learnt at restock; until then nobody compares shelf and ledger after a service
tom serves to service
tom opens
tom takes cola from s1
tom closes
expect serviced
expect incident cola
