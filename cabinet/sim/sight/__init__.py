"""What the cameras of a simulated cabinet see: an interior with goods and hands, a lobby with people, and bad light.

Drawn and cut-out pictures: they exercise the whole path of sight, and prove nothing about recognising real goods.
Import the modules: `conditions`, `products`, `references`, `interior`, `hands`, `front`.  Needs numpy and OpenCV.
"""
