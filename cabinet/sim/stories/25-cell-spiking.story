# A cell is spiking during the visit
scenario 25
ann comes
ann opens
the cell of s1 is spiking
ann takes cola from s1
ann closes
expect charge 1 cola or review
