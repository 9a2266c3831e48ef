# Goods slide out below the step threshold
scenario 19
ann comes
ann opens
ann takes nuts from s3 bit by bit
ann takes nuts from s3 bit by bit
ann closes
expect charge 2 nuts or review
