# A stranger
scenario 12
eve comes as a stranger
eve tries the door
expect no visit
expect the door locked
