# A refund while the charge is still queued
scenario 43
later issue 7: refunds and corrections
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
