# Occasional spikes and slips
scenario 25
with spikes 200
ann comes
ann opens
ann takes cola from s1
ann takes 2 candy from s4
ann closes
expect charge 1 cola, 2 candy or review
