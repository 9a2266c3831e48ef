"""The technician's command line.  It asks the running daemon over its Unix socket and shows the answer.

It never opens the ledger, and nothing heavy is imported before the command that needs it.
"""
