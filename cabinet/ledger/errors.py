"""What may go wrong with the ledger."""


class LedgerError(Exception):
    """The ledger could not do it; the message names the file or the row, and the remedy where there is one."""


class EntryRefusedError(LedgerError):
    """The entry breaks a rule (a second closing, a negative price); nothing was written."""


class LedgerDamagedError(LedgerError):
    """The file is no ledger of ours, or is damaged."""


class LedgerForeignError(LedgerDamagedError):
    """The file is a database of something else: it is left alone."""


class LedgerFullError(LedgerError):
    """No room on the disk: the transaction was rolled back, whole and clean, and may be tried again with room."""


class LedgerNewerError(LedgerError):
    """The file was written by a newer version of the cabinet."""


class LedgerLostError(LedgerError):
    """The disk failed us while writing.  Stop selling, close, start anew; never retry in place."""
