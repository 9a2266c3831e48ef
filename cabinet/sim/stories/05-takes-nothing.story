# Opens, looks, takes nothing
scenario 5
ann comes
ann opens
ann waits 8 s
ann closes
expect nothing
expect total 0
expect no incident
