# Declined after the goods left: she owes, and is not let in
scenario 36, peer: CHAI
the broker is away   # nobody could ask for a hold
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
ann's card declines
the broker is back
expect the books agree
expect ann owes 2.20
expect captured 0.00 once
ann comes
ann tries the door
expect 1 visit
expect the screen says owe for an earlier visit
