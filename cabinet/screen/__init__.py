"""The shopper's page: a small web server on this computer alone, and nothing of the cabinet in it.

It shows what the daemon says and carries answers back over the daemon's socket; it knows no member, keeps nothing, and
says "out of order" where the daemon is away.
"""

from cabinet.screen.link import Link
from cabinet.screen.serving import Serving, bound

__all__ = ["Link", "Serving", "bound"]
