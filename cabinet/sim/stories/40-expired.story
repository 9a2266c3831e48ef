# An expired or recalled thing is not sold
scenario 40
later no issue asks for lots and dates yet
ann comes
ann opens
ann takes cola from s1
ann closes
expect review
