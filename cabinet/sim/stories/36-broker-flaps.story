# The broker flaps and acknowledgements are lost
scenario 36
ann comes
ann opens
ann takes cola from s1
the broker is away
ann closes
expect charge 1 cola
the broker is back
the broker loses answers
ann comes
ann opens
ann takes chips from s3
ann closes
expect charge 1 chips
the broker is back
expect the books agree
