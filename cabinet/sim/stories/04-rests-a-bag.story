# Rests a bag on the shelf and takes it away
scenario 4
ann comes
ann opens
ann leaves bag of 2300 g on s2
ann takes lime from s2
ann fetches bag from s2
ann closes
expect charge 1 lime or review
