# The real ones are 12 % heavier than the catalogue says: the restock teaches it
scenario 39
goods juice 330 g sd 3 g really 370 g price 240
shelf s1 holds 1 juice, 6 water
shelf s2 holds 6 lime
tom serves to restock
tom opens
tom stocks juice on s1
tom stocks juice on s1
tom stocks juice on s1
tom stocks juice on s1
tom stocks juice on s1
tom closes
tom counts 6 juice on s1
expect serviced
5 s pass
expect no incident
ann comes
ann opens
ann takes juice from s1
ann closes
expect charge 1 juice
ben comes
ben opens
ben takes 2 juice from s1 at once
ben closes
expect charge 2 juice
