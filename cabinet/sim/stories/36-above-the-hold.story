# More was taken than the card would grant at the door
scenario 36
ann's card grants 5.00
ann comes
ann opens
ann takes 3 cola from s1
ann closes
expect charge 3 cola
expect total 660
expect captured 5.00 once
expect ann owes 1.60
bob comes
bob opens
bob takes chips from s3
bob closes
expect charge 1 chips
expect bob owes nothing
ann's card works again
a day passes
expect ann owes nothing
expect the hold released
expect the books agree
