# Touches a shelf and takes nothing
scenario 4
ann comes
ann opens
ann touches s1
ann touches s3
ann closes
expect nothing
expect no incident
