# A camera is moved during the visit
scenario 27
ann comes
ann opens
the camera top is moved
ann takes nuts from s3
ann closes
expect charge 1 nuts or review
expect out of service
