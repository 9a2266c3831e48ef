# Success is not told before the approval
scenario peer: CHAI
later issue 7: approvals
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
