# A restart neither assumes the door shut nor ends the service
scenario peer: Intel
tom serves to service
tom opens
the daemon is killed
2 s pass
the daemon starts
20 s pass
expect the door open
tom closes
expect serviced
expect the door locked
expect in service
