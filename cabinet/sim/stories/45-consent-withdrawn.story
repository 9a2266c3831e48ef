# Consent withdrawn while offline
scenario 45
later issue 8: erasure proven at both ends
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
