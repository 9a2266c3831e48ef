# An update is interrupted
scenario 44
later updates: nothing installs one yet
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
