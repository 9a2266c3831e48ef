# An unlock that times out frees no goods
scenario peer: VisionVend
ann comes
6 s pass
ann opens
ann takes cola from s1
ann waits 5 s
ann closes
expect charge 1 cola
