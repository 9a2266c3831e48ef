# A technician counts six and puts five, of a product that the catalogue has 12 % too light
scenario 39, 23
goods juice 330 g sd 3 g really 370 g price 240
shelf s1 holds 1 juice, 6 water
shelf s2 holds 6 lime
tom serves to restock
tom opens
tom stocks juice on s1
tom stocks juice on s1
tom stocks juice on s1
tom stocks juice on s1
tom closes
tom counts 6 juice on s1
expect serviced
20 min pass
expect incident restock does not add up: zone s1
expect incident 1 x juice (juice) would explain it
