# Leaves a bottle of her own
scenario 8
ann comes
ann opens
ann leaves bottle of 730 g on s2
ann closes
expect review
