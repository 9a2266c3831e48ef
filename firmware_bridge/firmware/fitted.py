"""How this board is built.  `cabinet board flash` writes another in its place, of what it was told."""

from .fitted_by import Fitted

FITTED = Fitted()
