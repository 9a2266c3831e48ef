# One large one weighs what three small ones weigh
scenario 6
ann comes
ann opens
ann takes soup from s4
ann closes
expect charge 1 soup or review
