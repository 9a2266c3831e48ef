# No token in the log
scenario peer: CHAI
ann's card declines
ann comes
ann tries the door
expect no visit
ann leaves
ann's card works again
ann comes by code
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
expect captured 2.20 once
expect nothing secret in the logs
