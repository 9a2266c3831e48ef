# A put-back gives no negative line
scenario peer: AWS
ann comes
ann opens
ann takes cola from s1
ann takes chips from s3
ann puts cola back on s1
ann closes
expect charge 1 chips
expect total 260
