# So long without a broker that nobody knows any more who owes
scenario 35
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
expect captured 2.20 once
the broker is away
6 days pass
bob comes
bob opens
bob takes chips from s3
bob closes
expect charge 1 chips
2 days pass
cem comes
cem tries the door
expect 2 visits
expect the screen says No connection for too long
cem leaves
the broker is back
expect the books agree
expect bob owes nothing
cem comes
cem opens
cem closes
expect nothing
expect the hold released
