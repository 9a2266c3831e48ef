"""What the uplink needs from the world: a pipe that may lose anything at any time and never blocks."""

from collections.abc import Callable
from typing import Protocol


class Pipe(Protocol):
    def start(self, heard: Callable[[str, bytes], None], changed: Callable[[bool], None]) -> None:
        """Begin connecting, for ever.  `heard(topic, payload)` and `changed(connected)` run in the event loop.

        `changed(True)` comes when messages to us would arrive, not before.
        """

    def send(self, topic: str, payload: bytes, *, retain: bool = False, expiry_s: int | None = None) -> bool:
        """Hand over a message.  False: not connected, or too many under way.  True promises nothing."""
        ...

    def trouble(self) -> str | None:
        """Why there is no connection, or None."""
        ...

    async def stop(self) -> None:
        """Say goodbye (so no last will is published) and let go."""
