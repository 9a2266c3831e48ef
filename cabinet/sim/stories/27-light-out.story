# The lamp goes out during the visit
scenario 27
ann comes
ann opens
the light goes out
ann takes nuts from s3
ann closes
expect charge 1 nuts or review
expect incident dark
expect out of service
the light comes on
2 s pass
expect in service
