# The real ones are 12 % heavier than the catalogue says
scenario 39
later issue 6: masses are not learnt yet; with 12 % off, a neighbour of the right mass was billed in 5 of 12 tellings
goods juice 330 g sd 3 g really 370 g price 240
shelf s1 holds 6 juice, 6 water
shelf s2 holds 6 lime
ann comes
ann opens
ann takes juice from s1
ann closes
expect charge 1 juice or review
