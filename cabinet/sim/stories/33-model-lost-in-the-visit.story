# The item model fails during the visit
scenario 33
ann comes
ann opens
the model is missing
ann takes cola from s1
ann closes
expect charge 1 cola or review
expect out of service
