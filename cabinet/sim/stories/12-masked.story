# Somebody with a mask is nobody we know
scenario 12
eve comes with a mask
eve tries the door
expect no visit
expect the door locked
