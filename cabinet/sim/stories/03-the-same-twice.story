# Takes two of one kind at once
scenario 3
ann comes
ann opens
ann takes 2 lime from s2 at once
ann closes
expect charge 2 lime
