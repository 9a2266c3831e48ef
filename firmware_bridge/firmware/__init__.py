"""What runs on the board: the same files on a Pico, under MicroPython's unix port and, for tests, under CPython."""
