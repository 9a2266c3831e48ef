# A photograph at the face camera
scenario 20
later issue 8: there is no liveness check yet, a good photograph passes as its subject
eve comes with a photo
eve tries the door
expect no visit
expect the door locked
