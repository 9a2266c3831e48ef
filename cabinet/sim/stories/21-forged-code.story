# A forged code
scenario 21
eve comes with a forged code
eve tries the door
expect no visit
expect the door locked
