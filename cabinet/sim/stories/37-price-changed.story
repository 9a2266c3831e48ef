# The price changes during the visit: the price at the unlock holds
scenario 37
ann comes
ann opens
the price of cola becomes 999
ann takes cola from s1
ann closes
expect charge 1 cola
expect total 220
