"""A technician at the front camera: a short-lived code, `CAB3:` and 16 random bytes in base32, good once.

Such a code opens a service visit and nothing else: no member has one, and nobody is charged for what it opens.  It ends
by the monotonic clock of the very start of the computer in which it was made; the wall clock, where it can be believed
at both ends, may only end it earlier.  Wrong codes are counted, and after a few nobody's code is looked at for a while.
"""

from dataclasses import dataclass, field, replace
from typing import Final, Literal, NewType

from cabinet.identity import codes
from cabinet.identity.codes import CodeError
from cabinet.identity.lockout import Lockout

PREFIX: Final = "CAB3:"
MAX_MINUTES: Final = 60  # whoever needs it later asks for another one then
LINES_PER_HOUR: Final = 20  # wrong codes that are written down one by one; the rest is counted
HOUR_S: Final = 3600.0
AGAIN_S: Final = 20.0  # for so long a code that was judged may stay before the camera

TechnicianId = NewType("TechnicianId", str)  # ULID, 26 characters
Purpose = Literal["restock", "service"]
Why = Literal["unknown", "removed", "used", "of another start", "expired"]


@dataclass(frozen=True, slots=True)
class Technician:
    """`removed_ms`: since when they are none any more; the name stays for what they did."""

    technician: TechnicianId
    name: str
    since_ms: int
    user: str | None = None  # of this computer: what they type is written down under their name
    removed_ms: int | None = None
    keys: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """Whoever shows it may open the cabinet for this, once."""

    technician: TechnicianId
    name: str
    purpose: Purpose
    reason: Literal["code", "token"] = "code"


@dataclass(frozen=True, slots=True)
class Issued:
    """A code as it is remembered: never the code itself."""

    technician: TechnicianId
    name: str
    purpose: Purpose
    start: str  # of the computer
    made_ms: int  # monotonic
    until_ms: int  # monotonic
    until_wall_ms: int | None = None  # None: nobody vouched for the wall clock
    used: bool = False
    removed: bool = False  # the technician was


@dataclass(frozen=True, slots=True)
class Now:
    start: str  # of the computer
    mono_ms: int
    wall_ms: int | None = None  # None: nobody vouches for it


def format_code(secret: bytes) -> str:
    """31 characters of the QR alphanumeric set.  Raises CodeError."""
    return PREFIX + codes.format_code(secret).removeprefix(codes.PREFIX)


def parse_code(text: str) -> bytes:
    """The 16 bytes; upper and lower case alike, white space around it ignored.  Raises CodeError without the text."""
    body = text.strip().upper()
    if not body.startswith(PREFIX):
        raise CodeError("not a technician's code")
    return codes.parse_code(codes.PREFIX + body.removeprefix(PREFIX))


def is_code(text: str) -> bool:
    """Means to be one, whatever it is worth."""
    return text.strip().upper().startswith(PREFIX)


def judge(issued: Issued | None, now: Now) -> Service | Why:
    if issued is None:
        return "unknown"
    if issued.removed:
        return "removed"
    if issued.used:
        return "used"
    if issued.start != now.start:
        return "of another start"
    if not issued.made_ms <= now.mono_ms < issued.until_ms:
        return "expired"
    if None not in {issued.until_wall_ms, now.wall_ms} and now.wall_ms >= issued.until_wall_ms:  # type: ignore[operator]  # asked before
        return "expired"
    return Service(issued.technician, issued.name, issued.purpose)


def is_live(issued: Issued, now: Now) -> bool:
    return isinstance(judge(issued, now), Service)


@dataclass(frozen=True, slots=True)
class Tries:
    """What was shown to one camera."""

    lockout: Lockout = field(default_factory=Lockout)
    latest: str = ""  # hash of the code that was judged last: it is seen in many frames, and is one try
    latest_s: float = float("-inf")
    hour_s: float = float("-inf")  # when the hour began in which lines are counted
    lines: int = 0  # of this hour
    unwritten: int = 0  # wrong codes since the last line

    def ignored(self, sha256: str, now_s: float) -> bool:
        """The same code held up a little longer, or any code while the lockout lasts."""
        again = sha256 == self.latest and now_s - self.latest_s < AGAIN_S
        return again or self.lockout.waiting_s(now_s) > 0

    def wrong(self, sha256: str, now_s: float) -> "Tries":
        """One more; `due` tells whether it is to be written down."""
        over = now_s - self.hour_s >= HOUR_S
        return Tries(
            self.lockout.refused(now_s), sha256, now_s, now_s if over else self.hour_s, 0 if over else self.lines,
            self.unwritten + 1,
        )  # fmt: skip  # one line per group

    @property
    def due(self) -> bool:
        return self.unwritten > 0 and self.lines < LINES_PER_HOUR

    def written(self) -> "Tries":
        return replace(self, lines=self.lines + 1, unwritten=0)

    def right(self, sha256: str, now_s: float) -> "Tries":
        return replace(self, lockout=self.lockout.accepted(), latest=sha256, latest_s=now_s)
