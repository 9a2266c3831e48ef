# A full bottle out, an empty one filled with water in
scenario 18
ann comes
ann opens
ann takes cola from s1
ann leaves fake of 545 g on s1
ann closes
expect review
