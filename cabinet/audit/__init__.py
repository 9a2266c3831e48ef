"""Do the cabinet's books, the cloud's and the provider's agree?  Read-only: proves it, or lists what is wrong.

The core (`chains`, `visits`) is pure and works on iterators of plain rows; the readers stream, so that memory stays
flat however long the books are.
"""

from cabinet.audit.rows import KINDS, Finding
from cabinet.audit.running import Report, audit

__all__ = ["KINDS", "Finding", "Report", "audit"]
