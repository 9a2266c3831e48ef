# Takes one thing and puts it back
scenario 2
ann comes
ann opens
ann takes cola from s1
ann puts cola back on s1
ann closes
expect nothing
expect no incident
