# A full bottle out, an empty one filled with water in
scenario 18
later issue 6: only sight can tell, and a before-and-after of equal looks says nothing yet
ann comes
ann opens
ann takes cola from s1
ann leaves fake of 545 g on s1
ann closes
expect review
