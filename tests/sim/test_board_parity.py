"""The same lives on the simulated board and on the firmware: the host must hear the same, at the same time.

The firmware is the real one, in the emulator's world, on virtual time.  Tolerance: 120 ms.  Its parts are the coil's
way (97 ms there, 120 here), a tick of 10 ms, seating at 30 ms, and the two boards' own debounces.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import pytest

from cabinet.ports import PortError
from cabinet.sim.board import FORCED, NOT_LATCHED, REBOOT_S, STUCK, SimBoard
from cabinet.sim.clockwork import Clockwork
from cabinet.units import VisitId
from firmware_bridge import happenings as h
from firmware_bridge.codes import FaultCode
from firmware_bridge.emulator.commissioned import TEST_KEY
from firmware_bridge.errors import LinkDown
from firmware_bridge.firmware import codes as c
from firmware_bridge.firmware.fitted_by import Fitted
from firmware_bridge.messages import Answer, Challenge, ChallengeRequest, ClearFaults, Lock, Unlock, UnlockResult
from firmware_bridge.signing import unlock_mac
from tests.firmware_bridge.firmware.bench import BOARD_ID
from tests.firmware_bridge.meeting import READY_MS, Meeting

TOLERANCE_MS = 120
DEAD_MS = round(1000 * REBOOT_S)
BORN_IN_MS = 20  # what the bench takes for a power-on
T = TypeVar("T")
WORDS = {FORCED: "forced", NOT_LATCHED: "not latched", STUCK: "stuck", None: "in order"}
CODES = {FaultCode.DOOR_FORCED: "forced", FaultCode.NOT_LATCHED: "not latched", FaultCode.BOLT_STUCK: "stuck"}


@dataclass(frozen=True, slots=True)
class Told:
    """`ms` is when the host heard it, `at_ms` when it is said to have happened, both since the life began."""

    ms: int
    what: str
    at_ms: int


class Side(Protocol):
    """One board, its world and its host."""

    told: list[Told]

    def run(self, for_ms: int) -> None: ...
    def unlock(self, visit: str = "a", ttl_ms: int = 10_000) -> bool: ...
    def engage(self) -> None: ...
    def clear(self) -> None: ...
    def pull(self) -> bool: ...
    def force(self) -> None: ...
    def shut(self) -> object: ...
    def magnet(self, *, on: bool) -> None: ...
    def jam(self, how: str) -> None: ...
    def fall_silent(self) -> None: ...
    def reset(self) -> None:
        """Returns when it speaks again."""

    def connect_anew(self) -> None: ...


# The simulated board.


class _Board(SimBoard):
    """Says in one breath what it tells to a host that connects."""

    greeted: Callable[[], None] = staticmethod(lambda: None)

    def hello(self) -> None:
        super().hello()
        self.greeted()


@dataclass
class Simulated:
    told: list[Told] = field(default_factory=list)
    time: Clockwork = field(default_factory=lambda: Clockwork(100.0))
    lock: str = "in order"
    door_is: str = ""
    bolt_is: str = ""

    def __post_init__(self) -> None:
        self._began_s = self.time.now_s
        self._greeting = False
        self.board = _Board(self.time)
        self.board.senses, self.board.part = self, self.part
        self.board.greeted = self._greeted
        self.connect_anew()
        self.told.clear()

    # What the host hears.

    def _say(self, at_s: float, what: str) -> None:
        self.told.append(Told(self._ms(self.time.now_s), what, self._ms(at_s)))

    def _ms(self, at_s: float) -> int:
        return round(1000 * (at_s - self._began_s))

    def door_found(self, at_s: float, *, is_open: bool) -> None:
        self._greeting, self.door_is = True, "open" if is_open else "shut"

    def door(self, at_s: float, *, is_open: bool) -> None:
        self._say(at_s, f"door {'open' if is_open else 'shut'}")

    def bolt(self, at_s: float, *, locked: bool) -> None:
        self.bolt_is = "home" if locked else "out"
        if not self._greeting:
            self._say(at_s, f"bolt {self.bolt_is}")

    def part(self, part: str, why: str | None) -> None:
        if part == "lock":
            self.lock = WORDS[why]
            if not self._greeting:
                self._say(self.time.now_s, f"lock {self.lock}")

    def _greeted(self) -> None:
        self._greeting = False
        self._say(self.time.now_s, f"connected: door {self.door_is}, bolt {self.bolt_is}, lock {self.lock}")

    def masses(self, zone: object, at_s: float, hz: float, grams: object) -> None: ...
    def gap(self, part: str, seconds: float) -> None: ...
    def temperature(self, probe: str, celsius: float) -> None: ...

    # What happens.

    def run(self, for_ms: int) -> None:
        end_s = self.time.now_s + for_ms / 1000
        while (next_s := self.time.next_s()) is not None and next_s <= end_s:
            self.time.step()
        self.time.advance(end_s)

    def unlock(self, visit: str = "a", ttl_ms: int = 10_000) -> bool:
        try:
            self.board.release(VisitId(visit), ttl_ms / 1000).send(None)
        except StopIteration:
            return True
        except PortError:
            return False
        raise AssertionError("a simulated board waited")

    def engage(self) -> None:
        with pytest.raises(StopIteration):
            self.board.engage().send(None)

    def clear(self) -> None:
        with pytest.raises(StopIteration):
            self.board.clear_faults().send(None)

    def pull(self) -> bool:
        return self.board.pull()

    def force(self) -> None:
        self.board.force()

    def shut(self) -> None:
        self.board.shut()

    def magnet(self, *, on: bool) -> None:
        self.board.set_magnet(on)

    def jam(self, how: str) -> None:
        self.board.set_jam(how)

    def fall_silent(self) -> None:
        self.board.host_silent()

    def reset(self) -> None:
        self.board.reset()
        self.run(DEAD_MS + BORN_IN_MS)

    def connect_anew(self) -> None:
        self.board.hello()


# The firmware.


class Real(Meeting):
    def __init__(self) -> None:
        self.told: list[Told] = []
        self._began_s, self._seen, self._faults, self._lock = 0.0, 0, set[FaultCode](), "in order"
        super().__init__(Fitted(zones=1))
        self.connect()
        self.run(READY_MS)
        self.beating = True
        self.told.clear()
        self._began_s = self.now_s

    def drain(self) -> None:
        try:
            super().drain()
        except LinkDown:
            self.begin()
        for happened in self.heard[self._seen :]:
            self._hear(happened)
        self._seen = len(self.heard)

    def _hear(self, happened: h.Happening) -> None:
        """As cabinet.adapters.mcu tells the daemon."""
        match happened:
            case h.DoorChanged(is_open, at_s):
                self._say(at_s, f"door {'open' if is_open else 'shut'}")
            case h.BoltChanged(locked, at_s):
                self._say(at_s, f"bolt {'home' if locked else 'out'}")
            case h.FaultRaised(code, _, _) if not code.told:
                self._faults.add(code)
            case h.FaultGone(code, _, _):
                self._faults.discard(code)
            case h.Connected(_, status):
                self._faults = {code for code in FaultCode if status.faults >> code & 1}
                self._lock = self._trouble()
                door, bolt = "open" if status.door_open else "shut", "home" if status.bolt_locked else "out"
                self._say(self.now_s, f"connected: door {door}, bolt {bolt}, lock {self._lock}")
        if self._trouble() != self._lock:
            self._lock = self._trouble()
            self._say(self.now_s, f"lock {self._lock}")

    def _trouble(self) -> str:
        return CODES[min(self._faults)] if self._faults else "in order"

    def _say(self, at_s: float, what: str) -> None:
        since_ms = [round(1000 * (t - self._began_s)) for t in (self.now_s, at_s)]
        self.told.append(Told(since_ms[0], what, since_ms[1]))

    def unlock(self, visit: str = "a", ttl_ms: int = 10_000) -> bool:  # type: ignore[override]  # in the lives' words
        named = visit.encode() * 16
        self.tell(ChallengeRequest())
        nonce = self._answer(Challenge).nonce
        self.tell(Unlock(named, ttl_ms, unlock_mac(TEST_KEY, BOARD_ID, nonce, named, ttl_ms)))
        return self._answer(UnlockResult).answer is Answer.OK

    def _answer(self, kind: type[T]) -> T:
        """The next of this kind."""
        before = len(self.answers)
        self.until(lambda: any(isinstance(answer, kind) for answer in self.answers[before:]))
        return next(answer for answer in self.answers[before:] if isinstance(answer, kind))

    def engage(self) -> None:
        self.tell(Lock())

    def clear(self) -> None:
        self.tell(ClearFaults())

    def pull(self) -> bool:
        return self.world.pull()

    def force(self) -> None:
        self.world.force()

    def shut(self) -> None:
        assert self.world.shut()

    def magnet(self, *, on: bool) -> None:
        self.world.break_part("magnet", on)

    def jam(self, how: str) -> None:
        for name in ("in", "out"):
            self.world.break_part(f"bolt_jammed_{name}", name == how)

    def fall_silent(self) -> None:
        self.beat()
        self.drain()
        self.beating = False

    def reset(self) -> None:
        """The chip is dead for as long as the simulated one; its pins let go, and the world goes on."""
        self.world.relay(on=False)
        for _ in range(DEAD_MS):
            self.now_ms += 1
            self.world.step(self.now_ms)
        self.power_on(c.BY_BROWN_OUT)

    def connect_anew(self) -> None:
        host = self.begin()
        self.until(lambda: host.connected)


# Lives.  Each gives back what people and orders got: whether the door gave way, whether an unlock was granted.

Life = Callable[[Side], list[bool]]


def let_in(side: Side) -> bool:
    """Unlock, and open half a second later."""
    assert side.unlock()
    side.run(500)
    return side.pull()


def ordinary(side: Side) -> list[bool]:
    got = [side.pull(), side.unlock(), side.pull()]
    side.run(300)
    got.append(side.pull())
    side.run(3000)
    side.shut()
    side.run(15)
    got.append(side.pull())
    side.run(2000)
    return got


def unlocked_and_never_opened(side: Side) -> list[bool]:
    got = [side.unlock()]
    side.run(11_000)
    return [*got, side.pull()]


def a_lease_of_two_seconds(side: Side) -> list[bool]:
    got = [side.unlock(ttl_ms=2000)]
    side.run(4000)
    return [*got, side.pull()]


def opened_as_the_lease_ends(side: Side) -> list[bool]:
    got = [side.unlock(ttl_ms=2000)]
    side.run(2010)
    got.append(side.pull())
    side.run(1000)
    return got


def host_silent_before_the_opening(side: Side) -> list[bool]:
    got = [side.unlock()]
    side.run(1000)
    side.fall_silent()
    side.run(2000)
    return [*got, side.pull()]


def host_silent_while_open(side: Side) -> list[bool]:
    got = [let_in(side)]
    side.fall_silent()
    side.run(1000)
    side.shut()
    side.run(1000)
    return got


def forced(side: Side) -> list[bool]:
    side.force()
    side.run(2000)
    side.shut()
    side.run(2000)
    got = [side.unlock()]
    side.clear()
    side.run(500)
    got.append(side.unlock())
    side.run(500)
    return got


def forced_and_let_go_at_once(side: Side) -> list[bool]:
    side.force()
    side.run(20)
    side.shut()
    side.run(2000)
    return [side.unlock()]


def forced_while_driven(side: Side) -> list[bool]:
    got = [side.unlock()]
    side.run(50)
    side.force()
    side.run(1000)
    side.shut()
    side.run(1000)
    return got


def bolt_jams_out_at_the_closing(side: Side) -> list[bool]:
    got = [let_in(side)]
    side.run(1000)
    side.jam("out")
    side.shut()
    side.run(5000)
    got.append(side.unlock())
    side.jam("")
    side.run(2000)
    got.append(side.unlock())
    side.run(500)
    return got


def bolt_latches_late_but_in_time(side: Side) -> list[bool]:
    got = [let_in(side)]
    side.run(1000)
    side.jam("out")
    side.shut()
    side.run(500)
    side.jam("")
    side.run(2000)
    return got


def bolt_jammed_out_before_the_closing_and_freed_after_it(side: Side) -> list[bool]:
    got = [let_in(side)]
    side.run(1000)
    side.jam("out")
    side.run(700)
    side.shut()
    side.run(300)
    side.jam("")
    side.run(2000)
    return got


def bolt_jams_out_at_rest_and_somebody_opens(side: Side) -> list[bool]:
    side.jam("out")
    side.run(2000)
    got = [side.unlock(), side.pull()]
    side.run(1000)
    side.shut()
    side.run(2000)
    side.jam("")
    side.run(1000)
    return got


def ajar_and_opened_again(side: Side) -> list[bool]:
    got = [let_in(side)]
    side.run(1000)
    side.jam("out")
    side.shut()
    side.run(2000)
    got.append(side.pull())
    side.run(2000)
    side.jam("")
    side.shut()
    side.run(2000)
    return got


def clearing_does_not_help_a_bolt_that_is_still_out(side: Side) -> list[bool]:
    side.jam("out")
    side.run(2000)
    side.clear()
    side.run(200)
    got = [side.unlock()]
    side.run(1500)
    return [*got, side.unlock()]


def bolt_jams_in(side: Side) -> list[bool]:
    side.jam("in")
    got = [side.unlock()]
    side.run(2000)
    got += [side.pull(), side.unlock()]
    side.jam("")
    side.clear()
    side.run(300)
    got.append(side.unlock())
    side.run(500)
    got.append(side.pull())
    side.run(1000)
    return got


def magnet_before_the_opening(side: Side) -> list[bool]:
    assert side.unlock()
    side.run(500)
    side.magnet(on=True)
    got = [side.pull()]
    side.run(15_000)
    side.shut()
    side.run(2000)
    side.magnet(on=False)
    side.run(1000)
    return got


def magnet_before_the_opening_and_away_while_open(side: Side) -> list[bool]:
    assert side.unlock()
    side.run(500)
    side.magnet(on=True)
    got = [side.pull()]
    side.run(3000)
    side.magnet(on=False)
    side.run(1000)
    side.shut()
    side.run(2000)
    return got


def magnet_while_open(side: Side) -> list[bool]:
    got = [let_in(side)]
    side.run(1000)
    side.magnet(on=True)
    side.run(5000)
    side.magnet(on=False)
    side.run(1000)
    side.shut()
    side.run(2000)
    return got


def magnet_while_open_and_still_at_the_closing(side: Side) -> list[bool]:
    got = [let_in(side)]
    side.run(1000)
    side.magnet(on=True)
    side.run(3000)
    side.shut()
    side.run(2000)
    side.magnet(on=False)
    side.run(1000)
    return got


def forced_under_a_magnet(side: Side) -> list[bool]:
    side.magnet(on=True)
    side.force()
    side.run(3000)
    side.magnet(on=False)
    side.run(1000)
    side.shut()
    side.run(2000)
    return []


def bounces_before_the_latch_catches(side: Side) -> list[bool]:
    got = [let_in(side)]
    side.run(2000)
    side.shut()
    side.run(10)
    got.append(side.pull())
    side.run(500)
    side.shut()
    side.run(2000)
    return got


def open_for_just_as_long_as_a_latch_may_take(side: Side) -> list[bool]:
    got = [let_in(side)]
    side.run(810)
    side.shut()
    side.run(2000)
    return got


def open_for_an_instant(side: Side) -> list[bool]:
    got = [let_in(side)]
    side.run(60)
    side.shut()
    side.run(2000)
    return got


def resets_while_unlocked(side: Side) -> list[bool]:
    assert side.unlock()
    side.run(500)
    side.reset()
    side.run(3000)
    got = [side.pull(), side.unlock()]
    side.run(500)
    return [*got, side.pull()]


def resets_while_open(side: Side) -> list[bool]:
    got = [let_in(side)]
    side.run(1000)
    side.reset()
    side.run(3000)
    side.shut()
    side.run(2000)
    return got


def resets_after_it_was_forced(side: Side) -> list[bool]:
    side.force()
    side.run(1000)
    side.reset()
    side.run(3000)
    side.shut()
    side.run(1000)
    return [side.unlock()]


def locked_again_while_driven(side: Side) -> list[bool]:
    got = [side.unlock()]
    side.run(1000)
    side.engage()
    side.run(1000)
    got += [side.pull(), side.unlock("b")]
    side.run(400)
    return [*got, side.pull()]


def locked_again_before_the_bolt_moved(side: Side) -> list[bool]:
    got = [side.unlock()]
    side.run(60)
    side.engage()
    side.run(1000)
    return [*got, side.pull()]


def unlocked_twice_for_the_same_visit(side: Side) -> list[bool]:
    got = [side.unlock(ttl_ms=3000)]
    side.run(2000)
    got.append(side.unlock(ttl_ms=3000))
    side.run(3000)
    return got


def unlocked_for_another_visit_meanwhile(side: Side) -> list[bool]:
    got = [side.unlock("a", 3000)]
    side.run(1000)
    got.append(side.unlock("b", 3000))
    side.run(5000)
    return got


def unlocked_with_the_door_open(side: Side) -> list[bool]:
    got = [let_in(side)]
    side.run(1000)
    return [*got, side.unlock("b")]


def host_comes_back_while_unlocked(side: Side) -> list[bool]:
    got = [side.unlock()]
    side.run(1000)
    side.connect_anew()
    side.run(1000)
    return [*got, side.pull()]


def host_comes_back_while_open(side: Side) -> list[bool]:
    got = [let_in(side)]
    side.run(1000)
    side.connect_anew()
    side.run(1000)
    side.shut()
    side.run(1000)
    return got


LIVES: list[Life] = [
    ordinary,
    unlocked_and_never_opened,
    a_lease_of_two_seconds,
    opened_as_the_lease_ends,
    host_silent_before_the_opening,
    host_silent_while_open,
    forced,
    forced_and_let_go_at_once,
    forced_while_driven,
    bolt_jams_out_at_the_closing,
    bolt_latches_late_but_in_time,
    bolt_jammed_out_before_the_closing_and_freed_after_it,
    bolt_jams_out_at_rest_and_somebody_opens,
    ajar_and_opened_again,
    clearing_does_not_help_a_bolt_that_is_still_out,
    bolt_jams_in,
    magnet_before_the_opening,
    magnet_before_the_opening_and_away_while_open,
    magnet_while_open,
    magnet_while_open_and_still_at_the_closing,
    forced_under_a_magnet,
    bounces_before_the_latch_catches,
    open_for_just_as_long_as_a_latch_may_take,
    open_for_an_instant,
    resets_while_unlocked,
    resets_while_open,
    resets_after_it_was_forced,
    locked_again_while_driven,
    locked_again_before_the_bolt_moved,
    unlocked_twice_for_the_same_visit,
    unlocked_for_another_visit_meanwhile,
    unlocked_with_the_door_open,
    host_comes_back_while_unlocked,
    host_comes_back_while_open,
]


def assert_alike(life: Life) -> None:
    simulated, real = Simulated(), Real()
    assert life(simulated) == life(real)
    timelines = "\n".join(
        f"{name}: " + "; ".join(f"{told.ms} {told.what}" for told in side.told)
        for name, side in (("simulated", simulated), ("firmware", real))
    )
    assert [told.what for told in simulated.told] == [told.what for told in real.told], timelines
    late_ms = [abs(a.ms - b.ms) for a, b in zip(simulated.told, real.told, strict=True)]
    assert max(late_ms, default=0) <= TOLERANCE_MS, timelines


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_the_host_hears_the_same_of_both_boards(life: Life) -> None:
    assert_alike(life)


# What still differs.


def forced_and_cleared_while_open(side: Side) -> list[bool]:
    side.force()
    side.run(2000)
    side.clear()
    side.run(1000)
    side.shut()
    side.run(2000)
    return [side.unlock()]


def resets_while_ajar(side: Side) -> list[bool]:
    got = [let_in(side)]
    side.run(1000)
    side.jam("out")
    side.shut()
    side.run(2000)
    side.reset()
    side.run(3000)
    side.jam("")
    side.run(2000)
    return got


def host_comes_back_while_ajar(side: Side) -> list[bool]:
    got = [let_in(side)]
    side.run(1000)
    side.jam("out")
    side.shut()
    side.run(2000)
    side.connect_anew()
    side.run(1000)
    side.jam("")
    side.run(2000)
    return got


def unlocked_before_the_closing_is_believed(side: Side) -> list[bool]:
    got = [let_in(side)]
    side.run(1000)
    side.shut()
    side.run(100)
    got.append(side.unlock("b"))
    side.run(1000)
    return got


def unlocked_again_at_once(side: Side) -> list[bool]:
    got = [side.unlock()]
    side.run(1000)
    side.engage()
    side.run(10)
    got.append(side.unlock("b"))
    side.run(1000)
    return got


@pytest.mark.parametrize(
    "life",
    [
        pytest.param(forced_and_cleared_while_open, id="the firmware raises the fault again 50 ms after the clearing"),
        pytest.param(resets_while_ajar, id="the firmware finds a door open whose bolt is out"),
        pytest.param(host_comes_back_while_ajar, id="the firmware believes it open until the bolt is home"),
        pytest.param(unlocked_before_the_closing_is_believed, id="the firmware refuses for 300 ms after the closing"),
        pytest.param(unlocked_again_at_once, id="the firmware lets the coil rest for 150 ms"),
    ],
)
def test_the_host_hears_the_same_of_both_boards_here_too(life: Life) -> None:
    assert_alike(life)


def test_a_closing_is_said_to_have_been_when_the_contacts_shut() -> None:
    for side in (Real(), Simulated()):
        assert isinstance(side, Real | Simulated)
        bolt_jams_out_at_the_closing(side)
        (closing,) = [told for told in side.told if told.what == "door shut"]
        assert closing.ms == pytest.approx(6530, abs=TOLERANCE_MS)  # the bolt was freed then
        assert closing.at_ms == pytest.approx(1500, abs=TOLERANCE_MS)  # the door was pushed shut then
