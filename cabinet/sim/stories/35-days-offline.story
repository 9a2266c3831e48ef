# Days without a broker: everything waits in order
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
the broker is back
expect the books agree
