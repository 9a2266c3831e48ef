# A failed upload is tried again
scenario peer: CHAI
later issue 7: clips are not uploaded yet
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
