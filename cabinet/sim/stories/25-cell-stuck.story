# A cell is stuck during the visit
scenario 25
ann comes
ann opens
the cell of s1 is stuck
ann takes cola from s1
ann closes
expect review
expect out of service
