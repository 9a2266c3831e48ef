# Frost, and the compressor runs
scenario 11
with noise 2
the compressor starts
ann comes
ann opens
ann takes nuts from s3
ann closes
expect charge 1 nuts or review
