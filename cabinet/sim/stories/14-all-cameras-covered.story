# All cameras are covered
scenario 14
ann comes
ann opens
the camera top is covered
the camera left is covered
the camera right is covered
ann takes cola from s1
ann closes
expect charge 1 cola or review
expect incident covered
expect out of service
