# Three small ones weigh what a large one weighs (3 x 86 = 258 against 261)
scenario 6
ann comes
ann opens
ann takes 3 candy from s4 at once
ann closes
expect charge 3 candy or review
