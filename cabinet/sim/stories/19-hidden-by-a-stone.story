# A stone hides the take, and is fetched later
scenario 19
ann comes
ann opens
ann leaves stone of 540 g on s1
ann takes cola from s1
ann fetches stone from s1
ann closes
expect charge 1 cola or review
