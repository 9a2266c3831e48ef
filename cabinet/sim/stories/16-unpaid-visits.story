# Small visits again and again, and never money
scenario 16
later issue 7: debts block the next visit
ann comes
ann opens
ann takes gum from s4
ann closes
expect charge 1 gum
ann comes
ann opens
expect no visit
