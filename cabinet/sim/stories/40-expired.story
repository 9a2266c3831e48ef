# An expired or recalled thing is not sold
scenario 40
later lots and dates: the catalogue knows neither
ann comes
ann opens
ann takes cola from s1
ann closes
expect review
