# Evidence is never public
scenario peer: AWS
later issue 7: evidence does not leave the cabinet yet, so nothing of it can be public
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
