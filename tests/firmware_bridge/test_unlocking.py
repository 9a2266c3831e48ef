"""Signed unlocks: asked for, refused, taken back.  On virtual time, with a puppet."""

import asyncio

import pytest

from firmware_bridge import happenings as h
from firmware_bridge.board import Board
from firmware_bridge.codes import Answer
from firmware_bridge.errors import BridgeError, LinkDown, Refused
from firmware_bridge.messages import (
    ChallengeRequest,
    Lock,
    Message,
    Unlock,
)
from firmware_bridge.ordering import ANSWER_S
from firmware_bridge.signing import unlock_mac
from tests.firmware_bridge.on_puppet import Host, live
from tests.firmware_bridge.puppet import CHALLENGE, KEY

VISIT, OTHER = b"visit number one", b"visit number two"
NEW_KEY = bytes(reversed(KEY))


def signed(visit: bytes = VISIT, ttl_ms: int = 5000, key: bytes = KEY) -> Unlock:
    return Unlock(visit, ttl_ms, unlock_mac(key, b"board-id", CHALLENGE, visit, ttl_ms))


def test_an_unlock_asks_for_a_challenge_and_signs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        await host.board.unlock(VISIT, 5.0)
        assert host.puppet.orders == [ChallengeRequest(), signed()]

    live(monkeypatch, story)


def test_without_a_key_nothing_is_asked_and_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        with pytest.raises(Refused, match="this host has no key: run `cabinet board commission`") as caught:
            await host.board.unlock(VISIT, 5.0)
        assert caught.value.answer is Answer.NO_KEY
        await asyncio.sleep(1)
        assert host.puppet.orders == []

    live(monkeypatch, story, key=None)


@pytest.mark.parametrize("answer", [answer for answer in Answer if answer is not Answer.OK])
def test_a_refused_unlock_gives_the_boards_reason(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    async def story(host: Host) -> None:
        host.puppet.says = answer
        await host.until(h.Connected)
        with pytest.raises(Refused, match=answer.name.lower().replace("_", " ")) as caught:
            await host.board.unlock(VISIT, 5.0)
        assert caught.value.answer is answer
        assert host.puppet.orders == [ChallengeRequest(), signed()]  # no Lock: it may be another's lease

    live(monkeypatch, story)


@pytest.mark.parametrize(("answer", "remedy"), [(Answer.NO_KEY, "commission"), (Answer.UNSIGNED, "open its housing")])
def test_a_refusal_that_a_technician_can_mend_says_how(
    monkeypatch: pytest.MonkeyPatch, answer: Answer, remedy: str
) -> None:
    async def story(host: Host) -> None:
        host.puppet.says = answer
        await host.until(h.Connected)
        with pytest.raises(Refused, match=remedy):
            await host.board.unlock(VISIT, 5.0)

    live(monkeypatch, story)


@pytest.mark.parametrize("unanswered", [ChallengeRequest, Unlock])
def test_an_unlock_without_an_answer_is_taken_back(monkeypatch: pytest.MonkeyPatch, unanswered: type[Message]) -> None:
    async def story(host: Host) -> None:
        host.puppet.deaf.add(unanswered)
        await host.until(h.Connected)
        with pytest.raises(LinkDown, match=f"no answer to {unanswered.__name__} within {ANSWER_S} s"):
            await host.board.unlock(VISIT, 5.0)
        await asyncio.sleep(0.1)
        assert host.puppet.orders[-1] == Lock()

    live(monkeypatch, story)


@pytest.mark.parametrize("unanswered", [ChallengeRequest, Unlock])
def test_an_unlock_that_nobody_waits_for_any_more_is_taken_back(
    monkeypatch: pytest.MonkeyPatch, unanswered: type[Message]
) -> None:
    async def story(host: Host) -> None:
        host.puppet.deaf.add(unanswered)
        await host.until(h.Connected)
        asking = asyncio.create_task(host.board.unlock(VISIT, 5.0))
        await asyncio.sleep(0.5)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.sleep(0.1)
        assert host.puppet.orders[-1] == Lock()

    live(monkeypatch, story)


def test_an_unlock_cancelled_before_its_turn_leaves_the_one_under_way_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        host.puppet.deaf.add(Unlock)
        await host.until(h.Connected)
        first = asyncio.create_task(host.board.unlock(VISIT, 5.0))
        second = asyncio.create_task(host.board.unlock(OTHER, 5.0))
        await asyncio.sleep(0.5)
        second.cancel()
        await asyncio.sleep(0.5)
        assert host.puppet.orders == [ChallengeRequest(), signed()]
        await asyncio.gather(first, second, return_exceptions=True)

    live(monkeypatch, story)


def test_two_unlocks_wait_for_each_other_since_a_new_challenge_ends_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        await asyncio.gather(host.board.unlock(VISIT, 5.0), host.board.unlock(OTHER, 5.0))
        assert host.puppet.orders == [ChallengeRequest(), signed(), ChallengeRequest(), signed(OTHER)]

    live(monkeypatch, story)


def test_the_same_visit_is_not_unlocked_twice_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        first = asyncio.create_task(host.board.unlock(VISIT, 5.0))
        await asyncio.sleep(0)
        with pytest.raises(BridgeError, match="under way already"):
            await host.board.unlock(VISIT, 5.0)
        await first

    live(monkeypatch, story)


def test_an_unlock_whose_session_ends_is_told_so_and_the_next_session_begins_with_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(host: Host) -> None:
        host.puppet.deaf.add(Unlock)
        await host.until(h.Connected)
        asking = asyncio.create_task(host.board.unlock(VISIT, 5.0))
        await asyncio.sleep(0.1)
        host.port.unplug()
        with pytest.raises(LinkDown, match="went away"):
            await asking
        host.puppet.told.clear()
        host.port.replug()
        await host.until(h.Connected)
        assert host.puppet.told[1] == Lock()

    live(monkeypatch, story)


@pytest.mark.parametrize(("visit", "ttl_s"), [(b"short", 5.0), (VISIT, 0.0), (VISIT, 0.0004), (VISIT, 66.0)])
def test_an_unlock_that_makes_no_sense_is_the_callers_mistake(visit: bytes, ttl_s: float) -> None:
    with pytest.raises(ValueError, match="want 16 bytes"):
        asyncio.run(Board("/dev/null", key=KEY).unlock(visit, ttl_s))


def test_a_key_of_another_length_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="want 32"):
        Board("/dev/null", key=b"short")
