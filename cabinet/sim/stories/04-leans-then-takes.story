# Leans on the shelf and takes something
scenario 4
ann comes
ann opens
ann leans on s1 with 1500 g for 3 s
ann takes cola from s1
ann closes
expect charge 1 cola
