# Slides one thing off its shelf over twenty seconds
scenario 1
ann comes
ann opens
ann takes oats from s2 bit by bit
ann closes
expect charge 1 oats or review
