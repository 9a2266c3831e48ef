# Takes one of two that look alike and weigh the same
scenario 6
goods red 500 g sd 3 g price 200 like blue
goods blue 501 g sd 3 g price 260 like red
shelf s1 holds 6 red
shelf s2 holds 6 blue
ann comes
ann opens
ann takes blue from s2
ann closes
expect charge 1 blue
