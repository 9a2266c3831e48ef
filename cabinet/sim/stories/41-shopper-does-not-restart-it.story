# A shopper's opening does not restart the grace
scenario 41
the air is 9 C
20 min pass
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
12 min pass
expect out of service
bob comes
bob tries the door
expect the door locked
