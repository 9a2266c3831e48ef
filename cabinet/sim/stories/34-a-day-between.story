# A day goes by between two visits
scenario 34
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
1 day passes
bob comes
bob opens
bob takes cola from s1
bob closes
expect charge 1 cola
expect in service
