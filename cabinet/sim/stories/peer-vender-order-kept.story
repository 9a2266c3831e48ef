# What is sent again keeps its place
scenario peer: vender
the broker loses answers
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
ann comes
ann opens
ann takes chips from s3
ann closes
expect charge 1 chips
the broker is back
expect the books agree
