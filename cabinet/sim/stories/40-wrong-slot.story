# Restocked into the wrong slot
scenario 40
shelf s1 holds 6 water
shelf s2 holds 6 lime, 4 nuts
ledger s1 says 6 water, 4 nuts
ledger s2 says 6 lime
ann comes
ann opens
ann takes nuts from s2
ann closes
expect charge 1 nuts or review
