"""What the shopper's own screen shows, what it is answered with, and the numbers that their phone signs.

Between three: the greeter asks and takes codes, the machine's notices say how far the visit is, and the page (through
`control.shopper`) shows it and brings answers back.  Holds no member's name; answers go to whoever asked and are kept
nowhere.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from cabinet.identity.nonces import Nonces
from cabinet.identity.signing import SigningKey
from cabinet.identity.token import (
    NONCE_BYTES,
    Token,
    TokenAccepted,
    TokenError,
    TokenRefused,
    cabinet_hash,
    check,
    nonce_text,
    read,
)
from cabinet.ledger import Stamp
from cabinet.session.effects import Notice

Asked = Literal["digits", "confirm", "challenge"]
Mode = Literal[
    "idle", "look", "digits", "confirm", "challenge", "refused", "open", "shopping", "closing", "tallying", "done",
    "service", "out of order",
]  # fmt: skip  # a row

MODES: Final[dict[Notice, Mode]] = {
    Notice.READY: "idle",
    Notice.LOOKING: "look",
    Notice.ASKED: "look",  # what for, says `ask`
    Notice.WELCOME: "open",
    Notice.REFUSED: "refused",
    Notice.SHOPPING: "shopping",
    Notice.CLOSE_DOOR: "closing",
    Notice.TALLYING: "tallying",
    Notice.THANKS: "done",
    Notice.NOTHING_TAKEN: "done",
    Notice.REVIEW: "done",
    Notice.SERVICE: "service",
    Notice.OUT_OF_SERVICE: "out of order",
}
AT_THE_DOOR: Final = frozenset({Notice.LOOKING, Notice.ASKED})  # somebody may be asked something
SHOWS_NONCE: Final = frozenset({"idle", "look", "digits", "confirm", "challenge", "refused", "done"})


@dataclass(frozen=True, slots=True)
class Screen:
    """What there is to see."""

    mode: Mode = "out of order"
    line: str = ""
    total: str = ""  # in words; empty where there is none
    hint: str = ""  # of a challenge: what to do
    nonce: str = ""  # to be drawn as QR; empty where no code is read now


class Shopper:
    """One for the cabinet.  Every method is quick and for the event loop's own thread."""

    def __init__(
        self,
        cabinet: str,
        nonce_s: float,
        member_key: Callable[[bytes], SigningKey | None],
        issuers: Mapping[bytes, SigningKey],
        draw: Callable[[int], bytes] = secrets.token_bytes,
        *,
        codes: bool = True,
        faces: bool = True,
    ) -> None:
        """`member_key`: of a kid; `issuers`: who may sign for anybody; `codes`, `faces`: what is recognised here."""
        self._cabinet = cabinet_hash(cabinet)
        self._member_key = member_key
        self._issuers = issuers
        self._draw = draw
        self._nonces = Nonces(nonce_s)
        self._notice = Notice.OUT_OF_SERVICE
        self._total = ""
        self._asked: Asked | None = None
        self._hint = ""
        self.codes, self.faces = codes, faces
        self.service_key: Callable[[bytes, str], SigningKey | None] = lambda *_: None  # of a kid and a technician
        self.line: Callable[[], str] = lambda: ""  # what the shopper reads now
        self.on_digits: Callable[[str], None] = lambda _: None
        self.on_confirm: Callable[[bool], None] = lambda _: None
        self.on_change: Callable[[], None] = lambda: None  # there is something else to see
        self.counts: Counter[str] = Counter()

    # What the greeter asks and takes.

    def ask(self, what: Asked | None, hint: str = "") -> None:
        """From now on the page asks for this; None: for nothing.  One answer, then it is over until asked again."""
        self._asked, self._hint = what, hint if what is not None else ""
        self.on_change()

    def nonce_text(self, now_s: float) -> str:
        """What the page draws for the phone just now."""
        self._nonces = self._nonces.turned(now_s, self._draw(NONCE_BYTES))
        return nonce_text(self._cabinet, self._nonces.current())

    def nonce_due_s(self) -> float:
        """When another is to be drawn."""
        return self._nonces.due_s()

    def accept(self, text: str, now_s: float, clock: Stamp) -> TokenAccepted | TokenRefused:
        """A taken token has used up its number: the same text in the next frame is refused as used.

        Expiry is judged by a clock that somebody vouches for; without one the number's age alone bounds the token.
        """
        answer = self._judge(text, now_s, clock)
        if isinstance(answer, TokenAccepted):
            self._nonces = self._nonces.used(read(text).nonce, now_s, self._draw(NONCE_BYTES))
            self.on_change()
            self.counts[f"{answer.kind} tokens accepted"] += 1
        else:
            self.counts[f"tokens refused: {answer.why}"] += 1
        return answer

    def _judge(self, text: str, now_s: float, clock: Stamp) -> TokenAccepted | TokenRefused:
        try:
            token = read(text)
        except TokenError:
            return TokenRefused("malformed")
        wall_s = clock.wall_ms // 1000 if clock.quality in {"ntp", "cloud"} else None
        standing = lambda nonce: self._nonces.standing(nonce, now_s)  # noqa: E731  # one name for one argument
        return check(token, self._cabinet, self._key(token), standing, wall_s)

    def _key(self, token: Token) -> SigningKey | None:
        issuer = self._issuers.get(token.kid)
        if issuer is not None:
            return issuer
        return self._member_key(token.kid) if token.kind == "shop" else self.service_key(token.kid, token.member)

    # What the machine says.

    def show(self, notice: Notice, total: str = "") -> None:
        """A question that was not answered before the visit went on is asked no more."""
        self._notice, self._total = notice, total
        if notice is not Notice.ASKED:
            self._asked, self._hint = None, ""
        self.on_change()

    # What the page sees and answers.

    def screen(self, now_s: float) -> Screen:
        mode: Mode = MODES[self._notice]
        if self._asked is not None and self._notice in AT_THE_DOOR:
            mode = self._asked
        seen = Screen(mode, self.line(), self._total, self._hint)
        if self.codes and mode in SHOWS_NONCE:
            return replace(seen, nonce=self.nonce_text(now_s))
        return seen

    def digits(self, digits: str) -> bool:
        """False: nobody asks for any now."""
        if not self._take("digits"):
            return False
        self.on_digits(digits)
        return True

    def confirm(self, *, yes: bool) -> bool:
        """False: nobody asks now."""
        if not self._take("confirm"):
            return False
        self.on_confirm(yes)
        return True

    def _take(self, what: Asked) -> bool:
        if self._asked != what or self._notice not in AT_THE_DOOR:
            return False
        self.ask(None)
        return True
