# The last thing is taken as the door falls shut
scenario 31, peer: Bits 'n Bytes, peer: CHAI
ann comes
ann opens
ann takes cola from s1
ann takes chips from s3 in the slam
expect charge 1 cola, 1 chips or review
