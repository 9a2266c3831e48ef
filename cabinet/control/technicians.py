"""Who the technicians are, their codes and keys, and what was written down of what they did.

A code that is shown to the front camera is judged here, used, and written down, in one; what it opens is the machine's
business.  It never tells whose code a wrong one was.
"""

import asyncio
import base64
import dataclasses
import hashlib
import io
import logging
import pwd
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cabinet import clock
from cabinet.control.maintenance import Maintenance
from cabinet.control.requests import Answer, Arguments, Refusals, RequestError, integer, text
from cabinet.greeter.doorway import Service as Opening
from cabinet.identity.signing import PublicKeyError, SigningKey, public_key
from cabinet.identity.technicians import MAX_MINUTES, Service, Technician, TechnicianId, Tries, Why, is_code
from cabinet.ledger import Ledger, LedgerError, Stamp
from cabinet.ledger.audit_chain import Chain
from cabinet.ledger.technicians import AT_CAMERA, USE

BATCH = 200  # lines looked at before the daemon's other work goes on
USE_TOKEN = "token.use"  # noqa: S105  # the name of an operation
REMEDY = "cabinet technicians list shows the ids"

log = logging.getLogger(__name__)


def is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


@dataclass
class TechnicianDesk:
    ledger: Ledger
    maintenance: Maintenance
    start: Callable[[], str] = clock.boot_id
    is_user: Callable[[str], bool] = is_user
    tries: Tries = field(default_factory=Tries)
    counts: Counter[str] = field(default_factory=Counter)

    def operations(self) -> dict[str, Any]:
        return {
            "technicians.add": self.add,
            "technicians.list": self.list,
            "technicians.remove": self.remove,
            "technicians.code": self.code,
            "technicians.key": self.key,
            "technicians.forget_key": self.forget_key,
            "technicians.log": self.log,
            "technicians.verify": self.verify,
        }

    # At the front camera.

    def technician_of_code(self, shown: str, stamp: Stamp) -> Service | None:
        """What the code opens: a visit of service, once, and never one of shopping.  None: nothing."""
        sha256, now_s = hashlib.sha256(shown.strip().upper().encode()).hexdigest(), stamp.mono_ms / 1000
        if not is_code(shown) or self.tries.ignored(sha256, now_s):
            return None
        try:
            self.maintenance.refuse_unlock()
            found = self.ledger.use_service_code(shown, stamp, self.start())
        except (LedgerError, RequestError) as error:
            self.counts["codes not taken"] += 1
            log.warning("service_code_not_taken why=%s", error)
            return None
        if isinstance(found, Service):
            self.tries = self.tries.right(sha256, now_s)
            self.counts["codes used"] += 1
            log.info("service_code_used technician=%s purpose=%s", found.technician, found.purpose)
            return found
        self._wrong(found, self.ledger.owner_of_code(shown), self.tries.wrong(sha256, now_s), stamp)
        return None

    def at_door(self, shown: str) -> Opening | None:
        """The same, as the greeter asks it."""
        found = self.technician_of_code(shown, clock.stamp())
        return None if found is None else Opening(found.name, found.purpose, found.reason)

    def _wrong(self, why: Why, owner: TechnicianId | None, tries: Tries, stamp: Stamp) -> None:
        self.counts["wrong codes"] += 1
        log.warning("service_code_refused why=%s", why)
        self.tries = tries
        if not tries.due:
            return
        more = f"; {tries.unwritten - 1} before it were not written down" if tries.unwritten > 1 else ""
        try:
            self.ledger.note_audit(AT_CAMERA, USE, stamp, technician=owner, result="refused", error=f"{why}{more}")
            self.tries = tries.written()
        except LedgerError as error:
            log.warning("wrong_code_not_written why=%s", error)

    def technician_by_token(self, technician: str) -> Technician | None:
        """Whom a signed token of service names; None for one who is no technician, or not any more."""
        return self.ledger.technician(technician)

    def service_key(self, kid: bytes, technician: str) -> SigningKey | None:
        """The key that may sign a token of service for this technician: one of their own."""
        found = self.ledger.technician_keys().get(kid)
        return None if found is None or found.owner != technician else SigningKey(found.public, None)

    def service_of_token(self, technician: str, stamp: Stamp) -> Service | None:
        """After the token was checked: written down, or else nothing is opened."""
        known = self.ledger.technician(technician)
        if known is None:
            return None
        try:
            self.maintenance.refuse_unlock()
            self.ledger.note_audit(AT_CAMERA, USE_TOKEN, stamp, technician=known.technician, subject="purpose=service")
        except (LedgerError, RequestError) as error:
            log.warning("service_token_not_taken why=%s", error)
            return None
        return Service(known.technician, known.name, "service", "token")

    # At the command line.

    async def add(self, arguments: Arguments, _: str) -> Answer:
        user = None if arguments.get("user") is None else text(arguments, "user")
        if user is not None and not self.is_user(user):
            raise RequestError("there is no such user on this computer", "leave it out, or add the user first")
        with Refusals():
            technician = self.ledger.add_technician(text(arguments, "name"), clock.stamp(), user=user)
        return _told(self._known(technician))

    async def list(self, _: Arguments, __: str) -> Answer:
        live, keys = self.ledger.live_codes(clock.stamp(), self.start()), self.ledger.technician_keys().values()
        rows = [
            {**_told(one), "kids": [key.kid.hex() for key in keys if str(key.owner) == one.technician]}
            for one in self.ledger.technicians()
        ]
        return {"technicians": rows, "live_codes": live}

    async def remove(self, arguments: Arguments, who: str) -> Answer:
        known = self._known(text(arguments, "technician"))
        self.ledger.remove_technician(known.technician, who, clock.stamp())
        return {"technician": known.technician, "keys": known.keys}

    async def code(self, arguments: Arguments, _: str) -> Answer:
        """Told once.  Whoever shows it to the camera opens the cabinet for the purpose."""
        known, purpose = self._known(text(arguments, "technician")), text(arguments, "purpose", "service")
        if purpose not in {"restock", "service"}:
            raise RequestError(f"purpose {purpose!r} is unknown", "restock or service")
        minutes = integer(arguments, "minutes", 10, low=1, high=MAX_MINUTES)
        with Refusals():
            code = self.ledger.add_service_code(known.technician, purpose, minutes, clock.stamp(), self.start())  # type: ignore[arg-type]  # checked above
        return {
            "technician": known.technician, "purpose": purpose, "minutes": minutes, "code": code,
            "qr_png_b64": base64.b64encode(_qr(code)).decode(),
        }  # fmt: skip  # a row

    async def key(self, arguments: Arguments, _: str) -> Answer:
        known = self._known(text(arguments, "technician"))
        try:
            public = public_key(text(arguments, "public"))
        except PublicKeyError as error:
            raise RequestError(str(error), "the technician's phone shows it") from error
        with Refusals():
            kid = self.ledger.add_technician_key(known.technician, public, clock.stamp())
        return {"technician": known.technician, "kid": kid}

    async def forget_key(self, arguments: Arguments, _: str) -> Answer:
        kid = text(arguments, "kid").lower()
        if not self.ledger.remove_technician_key(kid):
            raise RequestError("there is no such key of a technician", REMEDY)
        return {"kid": kid}

    async def log(self, arguments: Arguments, _: str) -> Answer:
        """The newest first."""
        limit = integer(arguments, "limit", 50, low=1, high=1000)
        who = None if arguments.get("who") is None else text(arguments, "who")
        return {"lines": [dataclasses.asdict(line) for line in self.ledger.audited(limit, who)]}

    async def verify(self, arguments: Arguments, _: str) -> Answer:
        """Whether every line is the one that was written, and none is missing; `n`, `h`: of a line noted before."""
        for _try in range(2):  # lines that are too old may go meanwhile
            floor, head = self.ledger.audit_floor(), self.ledger.audit_head()
            chain = Chain(*floor)
            while lines := [line for line in self.ledger.audit_lines(chain.n, BATCH) if line.n <= head[0]]:
                chain.follow(lines)
                await asyncio.sleep(0)
            chain.ends(head)
            if not chain.broken or floor == self.ledger.audit_floor():
                break
        why = chain.broken or self._other(arguments, floor)
        return {"whole": not why, "why": why, "lines": chain.lines, "first": floor[0] + 1, "n": head[0], "h": head[1]}

    def _other(self, arguments: Arguments, floor: tuple[int, str]) -> str:
        """What is wrong with the line that somebody has noted."""
        if arguments.get("n") is None:
            return ""
        n, noted = integer(arguments, "n", low=1, high=2**53 - 1), text(arguments, "h").lower()
        found = floor if n == floor[0] else next(((one.n, one.h) for one in self.ledger.audit_lines(n - 1, 1)), None)
        if n < floor[0]:
            raise RequestError(f"line {n} was deleted because of its age", "compare with a newer one")
        return "" if found == (n, noted) else f"line {n} is another one than the one noted"

    def _known(self, technician: str) -> Technician:
        known = self.ledger.technician(technician)
        if known is None:
            raise RequestError("there is no such technician", REMEDY)
        return known


def _told(one: Technician) -> Answer:
    return {
        "technician": one.technician, "name": one.name, "user": one.user, "since_wall_ms": one.since_ms,
        "removed_wall_ms": one.removed_ms, "keys": one.keys,
    }  # fmt: skip  # a row


def _qr(code: str) -> bytes:
    import segno  # noqa: PLC0415  only when a code is issued

    buffer = io.BytesIO()
    segno.make_qr(code, error="m").save(buffer, kind="png", scale=8)
    return buffer.getvalue()
