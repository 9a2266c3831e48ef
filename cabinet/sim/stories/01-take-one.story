# Takes one thing
scenario 1
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
expect no incident
expect the door locked
expect in service
