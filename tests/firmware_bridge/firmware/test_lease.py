"""The lease's bounds, and the two switches in series with the tests of both."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.firmware import codes as c
from firmware_bridge.firmware.lease import BOTH, MAX_TTL_MS, RELAY, REST, REST_MS, TAIL, TEST_MS, Drive, Lease

VISIT = bytes(range(16))
LONG_AGO_MS = -10_000


def over(lease: Lease, now_ms: int, *, touched: bool = False, rests_shut: bool = True) -> int:
    return lease.why_over(touched, rests_shut, now_ms)


def granted(ttl_ms: int, *, motor_bolt: bool = False) -> Lease:
    lease = Lease(motor_bolt)
    lease.grant(VISIT, ttl_ms, 0)
    return lease


def test_nobodys_lease_never_ends() -> None:
    assert over(Lease(motor_bolt=False), 10**9, touched=True) == -1


def test_a_lease_is_never_older_than_its_ttl() -> None:
    lease = granted(3000)
    for now_ms in range(0, 3001, 10):
        lease.beat(now_ms)
        if over(lease, now_ms) == c.EXPIRED:
            assert 2980 <= now_ms <= 3000
            return
    raise AssertionError("it outlived its ttl")


@given(st.integers(1, 65535))
def test_no_ttl_is_longer_than_ten_seconds(ttl_ms: int) -> None:
    lease = granted(ttl_ms)
    lease.beat(MAX_TTL_MS)
    assert over(lease, MAX_TTL_MS) == c.EXPIRED or MAX_TTL_MS - 10 < ttl_ms <= MAX_TTL_MS
    assert over(lease, MAX_TTL_MS + 1) == c.EXPIRED


def test_a_host_is_silent_before_its_last_heartbeat_is_500_ms_old() -> None:
    lease = granted(10_000)
    lease.beat(1000)
    assert over(lease, 1450) == -1
    assert over(lease, 1490) == c.HOST_SILENT


def test_the_first_contact_that_says_open_ends_it() -> None:
    assert over(granted(5000), 10, touched=True, rests_shut=False) == c.OPENED


def test_a_motor_bolts_lease_lasts_while_the_door_is_open_and_ends_when_it_is_shut() -> None:
    lease = granted(1000, motor_bolt=True)
    for now_ms in range(0, 20_000, 100):
        lease.beat(now_ms)
        assert over(lease, now_ms, touched=True, rests_shut=False) == -1
    assert over(lease, 20_000, rests_shut=False) == -1
    assert over(lease, 20_000) == c.OPENED


def test_a_motor_bolts_ttl_runs_until_the_door_first_opens() -> None:
    lease = granted(1000, motor_bolt=True)
    lease.beat(1000)
    assert over(lease, 1000) == c.EXPIRED


# The drive.


class Coil:
    """A drive stepped every 10 ms; `current` says whether the coil has some."""

    def __init__(self, *, sense: bool = True) -> None:
        self.drive = Drive(sense, LONG_AGO_MS)
        self.now_ms = 0
        self.relay_welded = self.pump_shorted = self.cut = self.stray = False
        self.stages: list[int] = []

    @property
    def current(self) -> bool:
        relay, pump = self.drive.relay or self.relay_welded, self.drive.pump or self.pump_shorted
        return (relay and pump and not self.cut) or self.stray

    def run(self, for_ms: int) -> list[int]:
        """The faults that showed, tick by tick."""
        faults = []
        for _ in range(0, for_ms, 10):
            self.now_ms += 10
            fault = self.drive.step(self.current, self.now_ms)
            if fault >= 0:
                faults.append(fault)
            self.stages.append(self.drive.stage)
        return faults

    def want(self, *, on: bool) -> None:
        self.drive.want(on, self.now_ms)


def test_the_relay_closes_20_ms_before_the_pump_and_opens_20_ms_before_it() -> None:
    coil = Coil()
    coil.want(on=True)
    assert coil.drive.stage == RELAY
    assert coil.run(50) == []
    assert coil.stages == [RELAY, BOTH, BOTH, BOTH, BOTH]
    coil.want(on=False)
    assert coil.drive.stage == TAIL
    coil.stages.clear()
    assert coil.run(50) == []
    assert coil.stages == [TAIL, REST, REST, REST, REST]
    assert TEST_MS == 20


def test_an_order_to_lock_opens_the_relay_at_once() -> None:
    coil = Coil()
    coil.want(on=True)
    coil.run(500)
    coil.want(on=False)
    assert not coil.drive.relay


def test_a_new_drive_waits_until_coil_and_pump_have_let_go() -> None:
    coil = Coil()
    coil.want(on=True)
    coil.run(200)
    coil.want(on=False)
    coil.run(20)
    rested_ms = coil.now_ms
    coil.want(on=True)
    while not coil.drive.relay:
        coil.run(10)
    assert coil.now_ms - rested_ms == REST_MS


@pytest.mark.parametrize(
    ("broken", "fault", "within_ms"),
    [
        ("relay_welded", c.RELAY_WELDED, 30),
        ("pump_shorted", c.PUMP_SHORTED, 30),
        ("cut", c.COIL_DEAD, 230),
        ("stray", c.PUMP_SHORTED, 30),
    ],
)
def test_a_broken_switch_or_coil_shows_in_its_own_moment(broken: str, fault: int, within_ms: int) -> None:
    coil = Coil()
    setattr(coil, broken, True)
    coil.want(on=True)
    if broken == "relay_welded":
        assert coil.run(300) == []
        coil.want(on=False)
    assert coil.run(within_ms)[:1] == [fault]


def test_a_shorted_pump_never_gets_as_far_as_both_switches() -> None:
    coil = Coil()
    coil.pump_shorted = True
    coil.want(on=True)
    coil.run(30)
    assert BOTH not in coil.stages
    assert coil.drive.stage == REST


def test_current_without_any_order_shows_after_150_ms() -> None:
    coil = Coil()
    coil.run(500)
    coil.stray = True
    assert coil.run(140) == []
    assert coil.run(30)[0] == c.DRIVE_STUCK


def test_current_that_fails_in_the_middle_of_a_lease_shows_after_200_ms() -> None:
    coil = Coil()
    coil.want(on=True)
    assert coil.run(1000) == []
    coil.cut = True
    assert coil.run(190) == []
    assert coil.run(20)[0] == c.COIL_DEAD


def test_a_board_without_coil_sense_finds_nothing_wrong_with_the_current() -> None:
    for broken in ("relay_welded", "pump_shorted", "cut", "stray"):
        coil = Coil(sense=False)
        setattr(coil, broken, True)
        coil.want(on=True)
        assert coil.run(1000) == []
        coil.want(on=False)
        assert coil.run(1000) == []
