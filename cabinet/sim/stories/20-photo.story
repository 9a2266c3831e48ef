# A photograph at the face camera
scenario 20
eve comes with a photo
eve tries the door
expect no visit
expect the door locked
