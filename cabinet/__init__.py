"""The smart cabinet: an unattended shop in a box."""

__version__ = "0.1.0"
