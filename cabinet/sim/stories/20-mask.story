# A mask at the face camera
scenario 20
eve comes with a mask
eve tries the door
expect no visit
