# Evidence is never public
scenario peer: AWS
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
expect the evidence stayed here
