# Declined after the goods left
scenario 36, peer: CHAI
later issue 7: holds, debts and a payment provider
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
