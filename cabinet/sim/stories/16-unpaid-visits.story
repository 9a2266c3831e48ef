# Small visits again and again, and never money
scenario 16
ann's card grants 0.50
ann comes
ann opens
ann takes gum from s4
ann closes
expect charge 1 gum
expect captured 0.50 once
expect ann owes 0.49
ann comes
ann tries the door
expect 1 visit
expect the screen says owe for an earlier visit
ann leaves
the broker is away   # the cabinet knows it too
ann comes
ann tries the door
expect 1 visit
expect the screen says owe for an earlier visit
ann leaves
the broker is back
ann's card works again
a day passes
expect captured 0.99 once
expect ann owes nothing
ann comes
ann opens
ann closes
expect nothing
expect 2 visits
expect the hold released
expect the books agree
