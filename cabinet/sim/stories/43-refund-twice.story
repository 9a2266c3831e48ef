# A refund after the capture, and the same once more from the other end
scenario 43
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
expect captured 2.20 once
the technician refunds 1.20
expect returned 1.20 once
the cloud refunds 1.20   # only 1.00 is left: refused
expect returned 1.20 once
the cloud refunds 1.00
expect returned 2.20 once
the cloud refunds 0.01   # nothing is left: refused
expect captured 2.20 once
expect returned 2.20 once
expect the books agree
