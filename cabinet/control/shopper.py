"""What the shopper's page may ask and answer, and the public keys of members' phones.

The page is a program of its own with a web server in it: `walled` keeps its user to these few operations.  Digits are
handed on and kept nowhere; neither they nor a member's name is ever in an answer, a complaint or a log line.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

from cabinet import clock
from cabinet.control.audited import PAGE_USER
from cabinet.control.requests import Answer, Arguments, Refusals, RequestError, text
from cabinet.control.watching import Watchers
from cabinet.identity.signing import PublicKeyError, public_key
from cabinet.ledger import Ledger
from cabinet.shopper import Shopper
from cabinet.units import MemberId

OURS: Final = "shopper."
BEAT_S: Final = 5.0  # the page is told something so often: silence means that nobody is there

Operation = Callable[[Arguments, str], Awaitable[Answer]]


@dataclass
class ShopperRoom:
    shopper: Shopper
    watchers: Watchers = field(default_factory=Watchers)

    def __post_init__(self) -> None:
        self.shopper.on_change = lambda: self.watchers.tell({})

    def operations(self) -> dict[str, Operation]:
        return {"shopper.screen": self.screen, "shopper.digits": self.digits, "shopper.confirm": self.confirm}

    async def screen(self, _: Arguments, __: str) -> Answer:
        return self._seen()

    async def digits(self, arguments: Arguments, _: str) -> Answer:
        digits = arguments.get("digits")
        if not isinstance(digits, str) or re.fullmatch("[0-9]{4}", digits) is None:
            raise RequestError("these are no four digits", "give digits as text, such as 0000")
        return _taken(taken=self.shopper.digits(digits))

    async def confirm(self, arguments: Arguments, _: str) -> Answer:
        yes = arguments.get("yes")
        if not isinstance(yes, bool):
            raise RequestError("yes is missing", "give yes as true or false")
        return _taken(taken=self.shopper.confirm(yes=yes))

    async def watch(self) -> AsyncIterator[Answer]:
        """At once, at every change, when another number is due, and every few seconds in any case."""
        with self.watchers.one_more() as queue:
            while True:
                yield self._seen()
                due_s = clock.now_s() + BEAT_S
                if self._seen()["nonce"]:
                    due_s = min(due_s, self.shopper.nonce_due_s())
                await _change(queue, due_s)

    def _seen(self) -> Answer:
        return {**asdict(self.shopper.screen(clock.now_s())), "codes": self.shopper.codes, "faces": self.shopper.faces}


@dataclass
class MemberKeys:
    """Public keys: who has one can open nothing, so they may be listed."""

    ledger: Ledger

    def operations(self) -> dict[str, Operation]:
        return {"members.keys": self.keys, "members.key_add": self.add, "members.key_remove": self.remove}

    async def keys(self, arguments: Arguments, _: str) -> Answer:
        member = self._member(arguments)
        return {"member": member, "keys": self._keys(member)}

    async def add(self, arguments: Arguments, _: str) -> Answer:
        member = self._member(arguments)
        try:
            public = public_key(text(arguments, "public"))
        except PublicKeyError as error:
            raise RequestError(str(error), "cabinet members key MEMBER --new FILE makes a good one") from error
        with Refusals():
            kid = self.ledger.add_key(member, public)
        return {"member": member, "kid": kid, "keys": self._keys(member)}

    async def remove(self, arguments: Arguments, _: str) -> Answer:
        member, kid = self._member(arguments), text(arguments, "kid")
        if not any(key["kid"] == kid.lower() for key in self._keys(member)) or not self.ledger.remove_key(kid):
            raise RequestError("the member has no such key", "cabinet members key MEMBER --list shows them")
        return {"member": member, "kid": kid.lower(), "keys": self._keys(member)}

    def _keys(self, member: MemberId) -> list[Answer]:
        return [{"kid": key.kid, "public": key.public.hex()} for key in self.ledger.keys(member)]

    def _member(self, arguments: Arguments) -> MemberId:
        member = self.ledger.member(MemberId(text(arguments, "member")))
        if member is None:
            raise RequestError("there is no such member", "cabinet members list shows the ids")
        return member.member


def walled(operations: Mapping[str, Operation]) -> dict[str, Operation]:
    """The same; but the page's user may do nothing beside the page's own."""

    def kept(name: str, operation: Operation) -> Operation:
        async def asked(arguments: Arguments, who: str) -> Answer:
            if who == PAGE_USER:
                raise RequestError(f"{name} is not for the shopper's page", "ask as a technician")
            return await operation(arguments, who)

        return operation if name.startswith(OURS) else asked

    return {name: kept(name, operation) for name, operation in operations.items()}


def _taken(*, taken: bool) -> Answer:
    if not taken:
        raise RequestError("nobody asks for that now", "look at the screen")
    return {"taken": True}


async def _change(queue: asyncio.Queue[Answer], until_s: float) -> None:
    """A change, or that time.  Several changes at once are one."""
    try:
        async with asyncio.timeout_at(until_s):
            await queue.get()
    except TimeoutError:
        return
    while not queue.empty():
        queue.get_nowait()
