# An opening of a second is not missed
scenario peer: Intel
ann comes
ann opens
ann takes cola from s1 in the slam
expect charge 1 cola or review
