# The shelf holds one less than the ledger says: not the next one's
scenario 22
shelf s1 holds 5 cola, 6 water
shelf s2 holds 6 lime
ledger s1 says 6 cola, 6 water
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
