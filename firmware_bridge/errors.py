"""What can go wrong between the host and the board.  Callers catch `BridgeError` and nothing broader."""

from firmware_bridge.codes import Answer, Commissioning


class BridgeError(Exception):
    """Something is wrong between us and the board."""


class FrameError(BridgeError):
    """The board, or the noise, sent bytes that are not a frame."""


class MessageError(BridgeError):
    """A sound frame carries something that is no message of this protocol, or a field is out of range."""


class LinkDown(BridgeError):  # noqa: N818  it is a state of the world, not a mistake
    """The board is not there, or does not answer however often we ask."""


class Refused(BridgeError):  # noqa: N818  the board did its duty
    """The board, or this host for want of a key, said no to an unlock; `answer` says why."""

    def __init__(self, why: str, answer: Answer) -> None:
        super().__init__(why)
        self.answer = answer


class NotCommissioned(BridgeError):  # noqa: N818  likewise
    """The board kept the key it has, or none; `answer` says why."""

    def __init__(self, why: str, answer: Commissioning) -> None:
        super().__init__(why)
        self.answer = answer


class WrongProtocol(BridgeError):  # noqa: N818  two sound parts that do not belong together
    """The board speaks another version of the protocol; `ours` and `theirs` name both."""

    def __init__(self, ours: int, theirs: int, what: str = "protocol") -> None:
        super().__init__(f"the board speaks {what} {theirs}, this host speaks {what} {ours}")
        self.ours, self.theirs = ours, theirs
