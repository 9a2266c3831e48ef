# Look-alikes of one mass, side by side
scenario 6
goods red 500 g sd 3 g price 200 like blue
goods blue 501 g sd 3 g price 260 like red
shelf s1 holds 6 red, 6 blue
shelf s2 holds 6 lime
ann comes
ann opens
ann takes blue from s1
ann closes
expect charge 1 blue or review
