"""Why a command ends without success, and the exit code that says so to scripts."""


class CliError(Exception):
    """What is wrong, what to do about it, and the exit code."""

    code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class RefusedError(CliError):
    """The daemon, or the person asked, said no; or the work failed."""


class BadInputError(CliError):
    """What was typed cannot be right; nothing was sent."""

    code = 2


class NotReachableError(CliError):
    """No daemon answers."""

    code = 3
