# Sets a bottle of her own down and takes it away again
scenario 8
ann comes
ann opens
ann leaves bottle of 730 g on s2
ann takes lime from s2
ann fetches bottle from s2
ann closes
expect charge 1 lime or review
