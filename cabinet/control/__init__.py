"""The technician's way in: the socket, what may be seen, what may be changed, and the live view."""

from cabinet.control.requests import RequestError
from cabinet.control.server import MAX_LINE, Control

__all__ = ["MAX_LINE", "Control", "RequestError"]
