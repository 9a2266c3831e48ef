"""What is asked of the board and what comes of it.  On virtual time, with a puppet."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from firmware_bridge import happenings as h
from firmware_bridge.board import Board
from firmware_bridge.codes import About, BuzzerPattern, CellAnswer, Commissioning, LampMode
from firmware_bridge.errors import BridgeError, LinkDown, MessageError, NotCommissioned
from firmware_bridge.messages import (
    Buzzer,
    Calibrate,
    CalibrationPoint,
    CellRequest,
    Challenge,
    ChallengeRequest,
    ClearFaults,
    Commission,
    Lamp,
    Lock,
    Message,
    Mirror,
    RawStream,
    StatusRequest,
    Tare,
    Unlock,
)
from firmware_bridge.ordering import MAX_OWED
from firmware_bridge.signing import unlock_mac
from tests.firmware_bridge.on_puppet import Host, live
from tests.firmware_bridge.puppet import CHALLENGE, KEY, Puppet

VISIT, OTHER = b"visit number one", b"visit number two"
NEW_KEY = bytes(reversed(KEY))


def signed(visit: bytes = VISIT, ttl_ms: int = 5000, key: bytes = KEY) -> Unlock:
    return Unlock(visit, ttl_ms, unlock_mac(key, b"board-id", CHALLENGE, visit, ttl_ms))


def test_a_commissioned_board_is_unlocked_with_its_new_key(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        await host.board.commission(NEW_KEY, 12, 100)
        await host.board.unlock(VISIT, 5.0)
        assert host.puppet.orders == [Commission(NEW_KEY, 12, 100), ChallengeRequest(), signed(key=NEW_KEY)]

    live(monkeypatch, story, key=None)


@pytest.mark.parametrize(
    ("answer", "why"),
    [(Commissioning.HOUSING_SHUT, "open its housing"), (Commissioning.OUT_OF_RANGE, "out of range")],
)
def test_a_board_that_takes_no_key_says_why_and_the_old_one_stays(
    monkeypatch: pytest.MonkeyPatch, answer: Commissioning, why: str
) -> None:
    async def story(host: Host) -> None:
        host.puppet.commissioning = answer
        await host.until(h.Connected)
        with pytest.raises(NotCommissioned, match=why) as caught:
            await host.board.commission(NEW_KEY, 12, 100)
        assert caught.value.answer is answer
        await host.board.unlock(VISIT, 5.0)
        assert host.puppet.orders[-1] == signed()

    live(monkeypatch, story)


@pytest.mark.parametrize(
    ("key", "per_hour", "per_day"),
    [(b"short", 1, 1), (bytes(32), 1, 1), (KEY, 0, 1), (KEY, 121, 1), (KEY, 1, 0), (KEY, 1, 1201)],
)
def test_a_key_or_budget_out_of_range_is_the_callers_mistake(key: bytes, per_hour: int, per_day: int) -> None:
    with pytest.raises(ValueError, match=r"want|not all zeros"):
        asyncio.run(Board("/dev/null").commission(key, per_hour, per_day))


# The rest.

Order = Callable[[Board], Awaitable[object]]


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (lambda board: board.lock(), Lock()),
        (lambda board: board.clear_faults(), ClearFaults()),
        (lambda board: board.lamp(LampMode.OPEN), Lamp(LampMode.OPEN)),
        (lambda board: board.buzzer(BuzzerPattern.PROMPT), Buzzer(BuzzerPattern.PROMPT)),
        (lambda board: board.mirror(VISIT, -1250, "EUR", KEY), Mirror(VISIT, -1250, b"EUR", KEY)),
        (lambda board: board.raw(1, on=True), RawStream(1, on=True)),
        (lambda board: board.tare(1), Tare(1)),
        (lambda board: board.calibration_point(0, 2, 500.05), CalibrationPoint(0, 2, 5000)),
        (lambda board: board.calibrate(1), Calibrate(1)),
        (lambda board: board.cell(0), CellRequest(0)),
    ],
)
def test_an_order_reaches_the_board(monkeypatch: pytest.MonkeyPatch, order: Order, message: Message) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        await order(host.board)
        assert host.puppet.orders == [message]

    live(monkeypatch, story)


def test_reports_of_cells_find_those_who_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        board = host.board
        reports = await asyncio.gather(board.cell(1), board.tare(0), board.cell(0), board.calibrate(1))
        asked = [(1, About.REQUEST), (0, About.TARE), (0, About.REQUEST), (1, About.CALIBRATE)]
        assert [(report.zone, report.about) for report in reports] == asked
        assert all(report.answer is CellAnswer.OK for report in reports)

    live(monkeypatch, story)


@pytest.mark.parametrize("zone", [-1, 2, 300])
def test_a_zone_that_the_board_does_not_have_is_named_with_those_it_has(
    monkeypatch: pytest.MonkeyPatch, zone: int
) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        with pytest.raises(BridgeError, match=rf"no zone {zone}: the board has 0\.\.1"):
            await host.board.tare(zone)

    live(monkeypatch, story)


def test_a_mirror_that_does_not_fit_its_fields_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        with pytest.raises(MessageError):
            await host.board.mirror(VISIT, 1, "€", KEY)

    live(monkeypatch, story)


def test_an_order_that_the_board_ignored_does_not_shift_the_answers_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        host.puppet.deaf.add(Tare)
        ignored = asyncio.create_task(host.board.tare(0))
        await asyncio.sleep(0.01)
        assert (await host.board.status()).bolt_locked
        with pytest.raises(LinkDown, match="did not answer"):
            await ignored
        host.puppet.deaf.clear()
        assert (await host.board.tare(0)).about is About.TARE

    live(monkeypatch, story)


def test_an_answer_that_comes_when_nobody_waits_any_more_is_not_taken_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(host: Host) -> None:
        host.puppet.deaf.add(ChallengeRequest)
        await host.until(h.Connected)
        with pytest.raises(LinkDown):
            await host.board.unlock(VISIT, 5.0)
        host.puppet.deaf.clear()
        host.puppet.say(Challenge(b"too late"), asyncio.get_running_loop().time())
        await host.board.unlock(VISIT, 5.0)
        assert host.puppet.orders[-1] == signed()

    live(monkeypatch, story)


def test_a_board_that_owes_many_answers_is_asked_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        host.puppet.deaf.add(StatusRequest)
        for _ in range(MAX_OWED):
            with pytest.raises(LinkDown, match="no answer"):
                await host.board.status()
        with pytest.raises(LinkDown, match=f"owes {MAX_OWED} answers"):
            await host.board.status()

    live(monkeypatch, story)


def test_orders_still_waiting_when_the_board_is_run_no_longer_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def waiting(board: Board) -> list[object]:
        orders = [board.lamp(LampMode.READY), board.status(), board.unlock(VISIT, 5.0)]
        return list(await asyncio.gather(*orders, return_exceptions=True))

    ended: list[object] = []

    async def story(host: Host) -> None:
        await host.until(h.Connected)
        host.puppet.silent = True
        asking = asyncio.create_task(waiting(host.board))
        await asyncio.sleep(0.01)
        running = next(task for task in asyncio.all_tasks() if "Board.run" in repr(task))
        running.cancel()
        async with asyncio.timeout(0.1):
            ended.extend(await asking)

    with pytest.raises(asyncio.CancelledError):
        live(monkeypatch, story)
    assert [type(end) for end in ended] == [LinkDown] * 3


@pytest.mark.parametrize("puppet", [Puppet(protocol=1), Puppet(protocol=3)], ids=["1", "3"])
def test_a_board_of_another_protocol_is_ordered_nothing(monkeypatch: pytest.MonkeyPatch, puppet: Puppet) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Disconnected)
        for order in (
            host.board.lock(),
            host.board.unlock(VISIT, 5),
            host.board.status(),
            host.board.commission(KEY, 1, 1),
        ):
            with pytest.raises(LinkDown, match="not connected"):
                await order

    live(monkeypatch, story, puppet)
