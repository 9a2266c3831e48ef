# A cell is swapped during the visit
scenario 25
ann comes
ann opens
the cell of s1 is swapped
ann takes cola from s1
ann closes
expect review
