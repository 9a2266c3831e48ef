"""The asyncio shell: connects, stays connected, tells what happens.  A puppet is its board, time is virtual."""

import asyncio
import logging

import pytest

from firmware_bridge import happenings as h
from firmware_bridge.board import (
    FIRST_BACKOFF_S,
    LAST_BACKOFF_S,
    MAX_WAITING_HAPPENINGS,
    MAX_WAITING_MASSES,
    WRONG_PROTOCOL_BACKOFF_S,
    Board,
)
from firmware_bridge.codes import Answer, FaultCode
from firmware_bridge.errors import LinkDown, Refused
from firmware_bridge.frames import Decoder, Kind
from firmware_bridge.link import RETRY_AFTER_S
from firmware_bridge.messages import Heartbeat, JournalRead, Lock, Mass, StatusRequest
from tests.firmware_bridge.on_puppet import Host, live
from tests.firmware_bridge.puppet import KEY, Puppet

VISIT = b"visit number one"


def now_s() -> float:
    return asyncio.get_running_loop().time()


def weigh(host: Host, first: int, count: int = 8) -> None:
    """The board has weighed these samples of zone 0."""
    uptime_ms = host.puppet.uptime_ms(now_s())
    host.puppet.stream(Mass(0, first, (uptime_ms - 100) % 2**32, 12_500, (10,) * count))


def indexes(told: list[h.Journaled]) -> list[int]:
    return [one.entry.index for one in told]


# Beginnings.


def test_it_locks_before_anything_else_and_then_says_who_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        connected = await host.until(h.Connected)
        assert (connected.hello.firmware, connected.status.bolt_locked) == ("puppet", True)
        assert host.puppet.told[1:3] == [Lock(), StatusRequest()]
        assert host.board.connected

    live(monkeypatch, story)


def test_without_a_board_orders_fail_and_heartbeats_do_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        host.port.unplug()
        assert "cannot open" in (await host.until(h.Disconnected)).why
        host.board.heartbeat()
        for order in (host.board.lock(), host.board.unlock(VISIT, 5), host.board.status(), host.board.tare(0)):
            with pytest.raises(LinkDown, match="not connected"):
                await order
        assert (host.board.facts, host.board.connected) == (None, False)

    live(monkeypatch, story)


def test_heartbeats_are_sent_when_told_and_never_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        await asyncio.sleep(10)
        assert Heartbeat() not in host.puppet.told
        host.board.heartbeat()
        host.board.heartbeat()
        await asyncio.sleep(0.1)
        assert host.puppet.told.count(Heartbeat()) == 2

    live(monkeypatch, story)


def test_facts_tell_the_board_the_link_and_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        host.puppet.reset(-1000.0)  # its clock is 1000 s ahead
        host.puppet.faults = 1 << FaultCode.HOUSING_OPEN | 1 << 31
        await host.until(h.Connected)
        await asyncio.sleep(120)
        facts = host.board.facts
        assert facts is not None
        assert (facts.hello.firmware, facts.status.bolt_locked, facts.boot_id) == ("puppet", True, facts.hello.boot_id)
        assert facts.faults == {FaultCode.HOUSING_OPEN}  # what a later firmware calls 31 has no name here
        assert (facts.counters.connects, facts.counters.board_bad_frames, facts.counters.board_lost_frames) == (1, 3, 4)
        assert facts.offset_s == pytest.approx(-1000.0, abs=0.01)
        assert facts.drift_ppm == pytest.approx(0.0, abs=20)
        assert facts.jitter_ms < 2
        assert (facts.journal_next, facts.journal_read) == (8, 8)

    live(monkeypatch, story, Puppet(journal=7))


def test_facts_are_of_their_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        before = host.board.facts
        host.board.counters.frames_dropped += 1
        assert before is not None
        assert before.counters.frames_dropped == 0

    live(monkeypatch, story)


# Losses.


def test_a_board_pulled_out_and_plugged_in_again_is_back_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        first = await host.until(h.Connected)
        await asyncio.sleep(2)
        host.port.unplug()
        assert "went away" in (await host.until(h.Disconnected)).why
        assert not host.board.connected
        await asyncio.sleep(60)
        host.port.replug()
        again = await host.until(h.Connected)
        assert again.hello.boot_id == first.hello.boot_id
        gap = await host.until(h.Gap)
        assert gap.what == "link"
        assert 60 <= gap.seconds <= 60 + LAST_BACKOFF_S + 1
        assert host.board.counters.reconnects == 1

    live(monkeypatch, story)


def test_tries_to_connect_come_ever_slower_down_to_every_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        host.port.unplug()
        await asyncio.sleep(30)
        waits = [b - a for a, b in zip(host.port.opened, host.port.opened[1:], strict=False)]
        assert waits[0] == pytest.approx(FIRST_BACKOFF_S)
        assert waits == sorted(waits)
        assert waits[-1] == pytest.approx(LAST_BACKOFF_S)

    live(monkeypatch, story)


def test_after_a_session_the_first_try_is_soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        host.port.unplug()
        await asyncio.sleep(30)
        host.port.replug()
        await host.until(h.Connected)
        host.port.unplug()
        unplugged_s, tries = now_s(), len(host.port.opened)
        await asyncio.sleep(1)
        assert host.port.opened[tries] - unplugged_s == pytest.approx(FIRST_BACKOFF_S, abs=0.01)

    live(monkeypatch, story)


def test_one_reason_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        host.port.unplug()
        assert len(await host.past_of(h.Disconnected, 120)) == 1

    assert live(monkeypatch, story).board.counters.disconnects == 1


def test_a_rebooted_board_is_greeted_anew_and_no_samples_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        first = await host.until(h.Connected)
        weigh(host, 800)
        await host.until(h.Masses)
        host.puppet.reset(now_s())
        assert "rebooted" in (await host.until(h.Disconnected)).why
        again = await host.until(h.Connected)
        assert again.hello.boot_id != first.hello.boot_id
        await asyncio.sleep(1)
        weigh(host, 0)
        masses = await host.until(h.Masses)
        assert masses.at_s == pytest.approx(now_s() - 0.1, abs=0.02)
        assert [gap.what for gap in await host.past_of(h.Gap, 1)] == ["link"]

    live(monkeypatch, story)


def test_samples_missed_while_the_same_boot_was_away_are_counted_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        weigh(host, 800)
        told_s = now_s()
        await host.until(h.Masses)
        host.port.unplug()
        await asyncio.sleep(10)
        host.port.replug()
        await host.until(h.Connected)
        missed = round(80 * (now_s() - told_s)) - 8
        weigh(host, 808 + missed)
        gaps = await host.past_of(h.Gap, 1)
        assert [(gap.what, gap.samples) for gap in gaps] == [("link", 0), ("mass zone 0", missed)]

    assert live(monkeypatch, story).board.counters.samples_lost > 700


def test_a_silent_board_is_given_up_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        await asyncio.sleep(1)
        host.puppet.silent = True
        silent_s = now_s()
        assert (await host.until(h.Disconnected)).why == "the board fell silent"
        assert now_s() - silent_s <= 1.6
        host.puppet.silent = False
        await host.until(h.Connected)

    live(monkeypatch, story)


def test_an_order_lost_on_the_wire_is_repeated_at_once_and_not_when_the_session_looks_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        await asyncio.sleep(1)
        host.port.loses = 2
        ordered_s = now_s()
        await host.board.lock()
        assert now_s() - ordered_s < 2 * RETRY_AFTER_S + 0.01

    live(monkeypatch, story)


def test_an_order_of_its_own_lost_on_the_wire_is_repeated_at_once_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        await asyncio.sleep(2.1)
        host.puppet.next += 1
        host.port.loses = 2  # the read that the next Alive brings about
        await host.until(h.Journaled)
        assert now_s() < 2.5 + 2 * RETRY_AFTER_S + 0.05

    live(monkeypatch, story)


# Another protocol.


@pytest.mark.parametrize("protocol", [1, 3])
def test_a_board_of_another_protocol_hears_hello_every_half_minute_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    async def story(host: Host) -> None:
        why = (await host.until(h.Disconnected)).why
        assert why == f"the board speaks protocol {protocol}, this host speaks protocol 2"
        host.board.heartbeat()
        await asyncio.sleep(3 * WRONG_PROTOCOL_BACKOFF_S + 1)
        assert len(host.port.opened) == 4
        assert {frame.kind for frame in Decoder().feed(host.port.sent)} == {Kind.OPEN}

    live(monkeypatch, story, Puppet(protocol=protocol))


def test_a_board_flashed_meanwhile_is_welcome(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Disconnected)
        host.puppet.protocol = 2
        await host.until(h.Connected)
        assert now_s() < WRONG_PROTOCOL_BACKOFF_S + 1

    live(monkeypatch, story, Puppet(protocol=1))


# The journal.


def test_the_journal_comes_once_and_in_order_through_unplugs_and_resets(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        for n in range(4):
            await asyncio.sleep(0.012 + 0.004 * n)  # in the middle of reading
            host.port.unplug()
            if n % 2:
                host.puppet.reset(now_s())
            await host.until(h.Disconnected)
            host.puppet.next += 5
            host.port.replug()
            await host.until(h.Connected)
        host.puppet.next += 3
        assert indexes(await host.past_of(h.Journaled, 5)) == list(range(1, 73))

    assert live(monkeypatch, story, Puppet(journal=49)).board.counters.journal_lost == 0


def test_the_journal_begins_where_the_host_left_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        assert indexes(await host.past_of(h.Journaled, 5)) == [41, 42, 43]

    live(monkeypatch, story, Puppet(journal=43), journal_from=41)


def test_the_place_in_the_journal_may_depend_on_the_board(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        assert indexes(await host.past_of(h.Journaled, 5)) == [9, 10]
        host.port.unplug()
        await asyncio.sleep(1)
        host.port.puppet = Puppet(journal=4)
        host.puppet.board_id = b"another!"
        host.port.replug()
        assert indexes(await host.past_of(h.Journaled, 10)) == [9, 10, 2, 3, 4]

    live(monkeypatch, story, Puppet(journal=10), journal_from={b"board-id": 9, b"another!": 2}.__getitem__)


def test_a_board_put_in_the_place_of_another_is_read_from_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.past_of(h.Journaled, 5)
        host.port.unplug()
        await asyncio.sleep(1)
        host.port.puppet = Puppet(journal=20)
        host.puppet.board_id = b"another!"
        host.port.replug()
        assert indexes(await host.past_of(h.Journaled, 10)) == [9, 10, *range(1, 21)]

    live(monkeypatch, story, Puppet(journal=10), journal_from=9)


def test_a_board_without_a_journal_is_not_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        host.puppet.next += 5
        await asyncio.sleep(20)
        assert not any(isinstance(told, JournalRead) for told in host.puppet.told)

    live(monkeypatch, story, Puppet(journaling=False))


# A user who does not listen.


def test_a_user_who_does_not_listen_loses_masses_before_anything_else() -> None:
    board = Board("/dev/null")
    for _ in range(MAX_WAITING_MASSES + 5):
        board._tell(h.Masses(0, 0.0, 80, [1.0]))
    edges: list[h.Happening] = [h.DoorChanged(open=n % 2 == 0, at_s=float(n)) for n in range(500)]
    for edge in edges:
        board._tell(edge)
    told = [board.happenings.get_nowait() for _ in range(board.happenings.qsize())]
    assert told[MAX_WAITING_MASSES:] == edges
    assert board.counters.happenings_dropped == 5


def test_the_newest_door_is_told_even_to_a_user_who_never_listened() -> None:
    board = Board("/dev/null")
    for n in range(MAX_WAITING_HAPPENINGS + 1):
        board._tell(h.DoorChanged(open=n % 2 == 0, at_s=float(n)))
    told = [board.happenings.get_nowait() for _ in range(board.happenings.qsize())]
    assert told[-1] == h.DoorChanged(open=True, at_s=float(MAX_WAITING_HAPPENINGS))


# What is never written.


def test_the_key_is_in_no_log_and_no_error(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    async def story(host: Host) -> None:
        host.puppet.says = Answer.UNSIGNED
        await host.until(h.Connected)
        with pytest.raises(Refused) as caught:
            await host.board.unlock(VISIT, 5)
        assert KEY.hex() not in str(caught.value)
        host.port.unplug()
        await host.until(h.Disconnected)

    with caplog.at_level(logging.DEBUG):
        live(monkeypatch, story)
    assert "board_connected" in caplog.text
    assert KEY.hex() not in caplog.text
    assert repr(KEY) not in caplog.text
