# The provider does not answer, then it does
scenario 36
ann comes
ann opens
ann takes cola from s1
the provider is away
ann closes
expect charge 1 cola
expect captured 0.00 once
10 min pass
the provider is back
an hour passes
expect captured 2.20 once
expect the hold released
expect the books agree
