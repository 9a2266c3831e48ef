# The clock jumps during the visit
scenario 32
ann comes
ann opens
ann takes cola from s1
the clock jumps 30 days
ann closes
expect charge 1 cola
ann comes
ann opens
the clock jumps -40 days
ann takes cola from s1
ann closes
expect charge 1 cola
