# A cheap one is put where the dear one stood
scenario 18
goods cheap 500 g sd 3 g price 100
goods dear 503 g sd 3 g price 900
shelf s1 holds 6 dear
shelf s2 holds 6 cheap
ann comes
ann opens
ann takes cheap from s2
ann takes dear from s1
ann puts cheap on s1
ann closes
expect charge 1 dear or review
