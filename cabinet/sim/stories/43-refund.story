# A refund while the charge is still queued
scenario 43
ann comes
ann opens
ann takes cola from s1
the broker is away
ann closes
expect charge 1 cola
the technician refunds 1.20
the technician refunds 9.00   # more than was charged: refused
the broker is back
expect captured 1.00 once   # what is left, and never more
expect returned 0.00 once
expect ann owes nothing
expect the books agree
