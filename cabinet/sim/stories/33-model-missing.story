# The item model is missing: it refuses to sell
scenario 33
the model is missing
ann comes
ann tries the door
expect no visit
expect out of service
