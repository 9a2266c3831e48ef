# A debt is asked for again by itself, and captured once
scenario 36
the broker is away
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
ann's card declines
the broker is back
expect ann owes 2.20
an hour passes
expect ann owes 2.20   # declined again
ann's card works again
a day passes
expect captured 2.20 once
expect ann owes nothing
ann comes
ann opens
ann takes gum from s4
ann closes
expect charge 1 gum
expect captured 0.99 once
expect the hold released
expect the books agree
