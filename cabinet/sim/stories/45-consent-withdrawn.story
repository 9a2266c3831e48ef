# Consent withdrawn while offline
scenario 45
ann comes
ann opens
ann takes cola from s1
ann closes
ann leaves
expect charge 1 cola
the broker is away
ann takes back her consent
the broker is back
expect nothing is kept of ann
expect the books agree
ann comes
ann tries the door
expect the door locked
expect 1 visit
