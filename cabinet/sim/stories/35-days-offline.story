# Days without a broker: everything waits in order, and the credit that nobody confirms has an end
scenario 35
the broker is away
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
2 days pass
ann comes
ann opens
ann takes chips from s3
ann closes
expect charge 1 chips
ann comes
ann opens
ann takes water from s1
ann closes
expect charge 1 water
ann comes   # three unpaid visits are as many as a cabinet risks for one member
ann tries the door
expect 3 visits
expect the screen says earlier visits of yours still wait
ann leaves
bob comes
bob opens
bob closes
expect nothing
the broker is back
expect the books agree
expect ann owes nothing
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
expect captured 2.20 once
expect the hold released
