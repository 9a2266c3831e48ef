"""The proving ground: the daemon inside the simulated world, on a clock of the world's own.

The shell, the session machine, the list of parts, the nerves, the SQLite ledger and the tally are the product's own;
what is replaced are ports: board, cameras, faces, and the file that a trace is written to.  README of this folder.
"""
