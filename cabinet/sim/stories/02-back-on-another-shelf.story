# Takes one thing and puts it back on another shelf
scenario 2
ann comes
ann opens
ann takes chips from s3
ann puts chips back on s2
ann closes
expect nothing or review
expect no incident
