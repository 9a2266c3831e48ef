# Success is not told before the approval
scenario peer: CHAI
the provider is away
ann comes
ann opens   # nobody waits for a provider that does not answer: the offline policy lets her in
ann takes cola from s1
ann closes
expect charge 1 cola
expect the screen says will be charged
expect captured 0.00 once
the provider is back
an hour passes
expect captured 2.20 once
ann's card declines
ann comes
ann tries the door
expect the screen says Your card was declined
expect 1 visit
expect the books agree
