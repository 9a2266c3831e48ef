# No clock after a power loss
scenario 32
the clock is lost
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
