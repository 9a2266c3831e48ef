"""What may be asked of a board, and the waiting for its answers.

Orders of one session are answered in their order.  Who is not told yes (refused, timed out, cancelled, link lost) has
no lease: an unlock that failed after it was begun is followed by Lock.
"""

import abc
import asyncio
import contextlib
from collections import deque
from typing import Any, TypeVar

from firmware_bridge.codes import About, Answer, BuzzerPattern, Commissioning, LampMode
from firmware_bridge.dialogue import Answer as Answering
from firmware_bridge.errors import BridgeError, LinkDown, NotCommissioned, Refused
from firmware_bridge.messages import (
    VISIT_BYTES,
    Buzzer,
    Calibrate,
    CalibrationPoint,
    CellReport,
    CellRequest,
    Challenge,
    ChallengeRequest,
    ClearFaults,
    Commission,
    Commissioned,
    HelloReply,
    Lamp,
    Lock,
    Message,
    Mirror,
    RawStream,
    Status,
    StatusRequest,
    Tare,
    Unlock,
    UnlockResult,
)
from firmware_bridge.orders import KEY_BYTES
from firmware_bridge.signing import unlock_mac

ANSWER_S = 1.5  # order and answer, each repeated for up to 0.8 s on a bad wire
MAX_OWED = 32  # answers; a board that owes more is not listening
MAX_TTL_S = 65.0  # of the field; the board caps a lease at 10 s
MOST_PER_HOUR, MOST_PER_DAY = 120, 1200  # unlocks that a board can be commissioned for
REMEDY = {
    Answer.NO_KEY: "run `cabinet board commission`",
    Answer.UNSIGNED: "the board has another key: open its housing and run `cabinet board commission`",
}

A = TypeVar("A", bound=Message)


class Ordering(abc.ABC):
    """The orders of a board.  Each raises LinkDown when there is no session or no answer in time."""

    def __init__(self, key: bytes | None) -> None:
        if key is not None and len(key) != KEY_BYTES:
            raise ValueError(f"a key of {len(key)} bytes, want {KEY_BYTES}")
        self._key = key
        self._deliveries: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._owed: deque[tuple[object, asyncio.Future[Any]]] = deque()  # what is asked for, who waits
        self._unlocking: set[bytes] = set()
        self._one_unlock = asyncio.Lock()  # a new challenge ends the one before

    @abc.abstractmethod
    def _send(self, message: Message) -> int:
        """Order it now; the ticket of its delivery.  LinkDown without a session."""

    @abc.abstractmethod
    def _greeting(self) -> HelloReply:
        """Of this session.  LinkDown without one."""

    async def unlock(self, visit: bytes, ttl_s: float) -> None:
        """Release the lock for `visit` (16 bytes) for at most `ttl_s` (0..65 s; the board caps it at 10 s).

        Returns once the board holds the lease.  Refused gives the reason (and asks nothing without a key), LinkDown the
        board's silence.  Whoever is not told yes (timeout, cancelled) leaves the door locked: a Lock follows.
        """
        if len(visit) != VISIT_BYTES or not 0.001 <= ttl_s <= MAX_TTL_S:
            raise ValueError(f"visit of {len(visit)} bytes, ttl {ttl_s} s: want {VISIT_BYTES} bytes, 1 ms..65 s")
        if self._key is None:
            raise Refused(f"unlock refused: this host has no key: {REMEDY[Answer.NO_KEY]}", Answer.NO_KEY)
        if visit in self._unlocking:
            raise BridgeError("this visit's unlock is under way already")
        self._unlocking.add(visit)
        try:
            async with self._one_unlock:
                said = await self._signed_unlock(self._key, visit, round(ttl_s * 1000))
        finally:
            self._unlocking.discard(visit)
        if said is not Answer.OK:
            remedy = f": {REMEDY[said]}" if said in REMEDY else ""
            raise Refused(f"unlock refused: {_word(said)}{remedy}", said)

    async def lock(self) -> None:
        """End any lease.  Returns once the board has the order."""
        await self._deliver(Lock())

    async def clear_faults(self) -> None:
        """A person has looked: latched faults may end.  Returns once the board has the order."""
        await self._deliver(ClearFaults())

    async def lamp(self, mode: LampMode) -> None:
        await self._deliver(Lamp(mode))

    async def buzzer(self, pattern: BuzzerPattern) -> None:
        await self._deliver(Buzzer(pattern))

    async def status(self) -> Status:
        """The board's answer of this moment."""
        return await self._ask(StatusRequest(), Status)

    async def commission(self, key: bytes, per_hour: int, per_day: int) -> None:
        """Give the board its key (32 bytes, not all zeros) and its budget of unlocks, 1..120 an hour and 1..1200 a day.

        From then on this object signs with that key.  NotCommissioned if the board refuses.
        """
        if len(key) != KEY_BYTES or not any(key):
            raise ValueError(f"a key is {KEY_BYTES} bytes, not all zeros")
        if not 1 <= per_hour <= MOST_PER_HOUR or not 1 <= per_day <= MOST_PER_DAY:
            raise ValueError(f"{per_hour} an hour, {per_day} a day: want 1..{MOST_PER_HOUR} and 1..{MOST_PER_DAY}")
        said = (await self._ask(Commission(key, per_hour, per_day), Commissioned)).answer
        if said is Commissioning.HOUSING_SHUT:
            raise NotCommissioned("the board has a key already: open its housing and try again", said)
        if said is not Commissioning.OK:
            raise NotCommissioned(f"the board refuses: {_word(said)}", said)
        self._key = key

    async def mirror(self, visit: bytes, amount_minor: int, currency: str, digest: bytes) -> None:
        """Have the board keep what a visit was charged.  Returns once it has the order; MessageError for a field that
        does not fit (visit 16 bytes, amount 64 bits, currency 3 ASCII letters, digest 32 bytes).
        """
        await self._deliver(Mirror(visit, amount_minor, currency.encode("ascii", "replace"), digest))

    async def tare(self, zone: int) -> CellReport:
        """The zone is empty: its mean is its zero from now on, if the report's answer is OK."""
        return await self._cell(Tare(self._zone(zone)), zone, About.TARE)

    async def calibration_point(self, zone: int, slot: int, mass_g: float) -> CellReport:
        """`mass_g` lies on the zone now; `slot` 1 or 2."""
        return await self._cell(CalibrationPoint(self._zone(zone), slot, round(10 * mass_g)), zone, About.POINT)

    async def calibrate(self, zone: int) -> CellReport:
        """Fit the zone's zero and points; stored only if the report's answer is OK."""
        return await self._cell(Calibrate(self._zone(zone)), zone, About.CALIBRATE)

    async def cell(self, zone: int) -> CellReport:
        """How the zone's cell is now."""
        return await self._cell(CellRequest(self._zone(zone)), zone, About.REQUEST)

    async def raw(self, zone: int, *, on: bool) -> None:
        """Have CellCounts of this zone, or no longer.  Ends with the session: order it again after Connected."""
        await self._deliver(RawStream(self._zone(zone), on))

    def _answered(self, answers: list[Answering], acknowledged: int) -> None:
        """Hand answers and deliveries to those who wait."""
        for answer in answers:
            about = _about(answer)
            if not any(about == owed for owed, _ in self._owed):
                continue  # nobody asked in this session, or not any more
            while self._owed:  # answers come in order: what was asked before and has none will get none
                owed, future = self._owed.popleft()
                if owed == about:
                    _resolve(future, answer)
                    break
                _fail(future, LinkDown("the board did not answer"))
        while self._deliveries and self._deliveries[0][0] <= acknowledged:
            _resolve(self._deliveries.popleft()[1], None)

    def _abandoned(self, why: str) -> None:
        """The session is over: nobody waits any longer."""
        waiting = [future for _, future in self._owed] + [future for _, future in self._deliveries]
        self._owed.clear()
        self._deliveries.clear()
        for future in waiting:
            _fail(future, LinkDown(why))

    async def _signed_unlock(self, key: bytes, visit: bytes, ttl_ms: int) -> Answer:
        try:
            challenge = await self._ask(ChallengeRequest(), Challenge)
            mac = unlock_mac(key, self._greeting().board_id, challenge.nonce, visit, ttl_ms)
            result = await self._ask(Unlock(visit, ttl_ms, mac), UnlockResult, visit)
        except (BridgeError, asyncio.CancelledError):
            with contextlib.suppress(BridgeError):  # no session: then there is no lease, and the next begins with Lock
                self._send(Lock())
            raise
        return result.answer

    async def _cell(self, order: Message, zone: int, about: About) -> CellReport:
        return await self._ask(order, CellReport, zone, about)

    def _zone(self, zone: int) -> int:
        zones = self._greeting().zones
        if not 0 <= zone < zones:
            raise BridgeError(f"no zone {zone}: the board has 0..{zones - 1}")
        return zone

    async def _ask(self, order: Message, kind: type[A], *about: object) -> A:
        if len(self._owed) >= MAX_OWED:
            raise LinkDown(f"the board owes {MAX_OWED} answers")
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._send(order)
        self._owed.append(((kind, *about), answer))
        try:
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except TimeoutError:
            raise LinkDown(f"no answer to {type(order).__name__} within {ANSWER_S} s") from None

    async def _deliver(self, message: Message) -> None:
        delivered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._deliveries.append((self._send(message), delivered))
        await delivered  # ends: the link gives up by itself


def _about(answer: Answering) -> object:
    """What was asked, to be answered so."""
    match answer:
        case UnlockResult(visit=visit):
            return UnlockResult, visit
        case CellReport(zone=zone, about=about):
            return CellReport, zone, about
        case _:
            return (type(answer),)


def _word(code: Answer | Commissioning) -> str:
    return code.name.lower().replace("_", " ")


def _resolve(future: asyncio.Future[Any], value: object) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[Any], error: BridgeError) -> None:
    if not future.done():
        future.set_exception(error)
