# Carries a thing past another camera
scenario 7
ann comes
ann opens
ann takes cola from s1
ann touches s3
ann touches s4
ann closes
expect charge 1 cola
