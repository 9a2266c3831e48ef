# There is no upload that could fail: the evidence stays, its hash goes
scenario peer: CHAI
the broker loses answers
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
expect the evidence stayed here
the broker is back
expect the books agree
expect the evidence stayed here
expect the same bill again   # from the evidence here
