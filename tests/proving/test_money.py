"""Money in stories: each sentence can fail, wire and logs are really looked through, and waiting is on virtual time."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator

import pytest

from cabinet.proving import paying
from cabinet.proving.overhearing import leak, overheard, secret
from cabinet.proving.telling import tell
from cabinet.proving.waiting import Waiting
from cabinet.sim.clockwork import Clockwork
from cabinet.sim.story import parse
from cabinet.wire import Payload

SHOPS = "ann comes\nann opens\nann takes cola from s1\nann closes\nexpect charge 1 cola\n"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def failures(text: str) -> list[str]:
    ended = tell(parse(text))
    assert ended.violations == ()
    return list(ended.failures)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("expect captured 2.19 once", "has captured 2.20"),
        ("expect returned 0.10 once", "has returned 0.00"),
        ("expect ann owes 0.01", "ann owes 0.00"),
        ("expect 2 visits", "1 visits were opened"),
        ("expect the screen says Welcome", "it says: Thank you. USD 2.20 will be charged."),
    ],
)
def test_what_is_not_so_is_told(line: str, why: str) -> None:
    (failure,) = failures(f"{SHOPS}{line}\n")
    assert why in failure


def test_a_hold_of_an_open_visit_is_not_released() -> None:
    (failure,) = failures("ann comes\nann opens\nexpect the hold released\nann closes\n")
    assert "20.00 is held" in failure


def test_without_cards_told_of_everybody_pays() -> None:
    assert failures(f"{SHOPS}expect captured 2.20 once\nexpect ann owes nothing\nexpect the hold released\n") == []


def test_the_cloud_is_asked_while_the_line_is_up_and_the_policy_holds_while_it_is_down() -> None:
    ends = tell(parse(f"{SHOPS}the broker is away\nbob comes\nbob opens\nbob closes\nexpect nothing\n"))
    terms = [account.terms for account in ends.accounts]
    assert [(one.by, one.hold_minor) for one in terms] == [("cloud", 2000), ("offline", 2000)]


def test_a_picture_on_the_wire_is_found_and_so_is_a_piece_of_the_evidence() -> None:
    assert "JPEG" in leak([b'{"x":"/9j/4AAQSkZJRg"}'], [])
    assert "evidence" in leak([b'{"mg":[100.5,100.4,100.25]}'], [b"[100.5,100.4,100.25]"])
    assert leak([b'{"visit":"01"}'], [b"[100.5,100.4,100.25]", b"short"]) == ""


def test_evidence_that_goes_over_the_wire_ends_the_story_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(self: paying.PayingFarEnd, payload: Payload, *told: object, bad: bool) -> bool:
        del payload, told, bad
        assert self.tapped is not None
        self.tapped.append(b"\xff\xd8\xff\xe0 a still")
        return False

    monkeypatch.setattr(paying.PayingFarEnd, "ask", ask)
    (failure,) = failures(f"{SHOPS}expect the evidence stayed here\n")
    assert "a JPEG went over the wire" in failure


def test_what_is_secret_is_found_in_a_line_and_in_nothing_else() -> None:
    assert secret(["card pm_1 of ann"], {"pm_1"})
    assert secret(["code CAB1:abcdefgh read"], set())
    assert secret(["visit 01J9 opened"], {"pm_1"}) == ""


def test_lines_are_heard_behind_the_products_own_filter_and_the_log_is_as_before() -> None:
    log = logging.getLogger("cabinet.till")
    with overheard() as heard:
        log.debug("code CAB1:abcdefgh read")
    log.warning("nobody listens")
    assert "DEBUG cabinet.till code CAB1:[redacted] read" in heard.lines
    assert not any("nobody" in line for line in heard.lines)
    assert logging.root.manager.disable == logging.CRITICAL


def test_a_coroutine_waits_on_virtual_time_and_a_result_comes_before_its_timeout() -> None:
    clock, found = Clockwork(), []
    waiting = Waiting(clock, lambda: True)

    async def ask(within_s: float, answer_s: float) -> None:
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        clock.after(answer_s, lambda: None if future.done() else future.set_result("granted"))
        try:
            async with asyncio.timeout(within_s):
                found.append((await future, clock.now_s))
        except TimeoutError:
            found.append(("nobody", clock.now_s))

    waiting.begin(ask(0.8, 0.1))
    waiting.begin(ask(0.8, 2.0))
    while clock.next_s() is not None:
        clock.step()
    assert found == [("granted", 0.1), ("nobody", 0.8)]


def test_what_a_dead_process_waited_for_never_comes() -> None:
    clock, found, alive = Clockwork(), [], [True]
    waiting = Waiting(clock, lambda: alive[0])

    async def ask() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await asyncio.get_running_loop().create_future()
        found.append("went on")

    waiting.begin(ask())
    alive[0] = False
    while clock.next_s() is not None:
        clock.step()
    assert found == []


def test_a_fault_in_a_coroutine_is_not_swallowed() -> None:
    async def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Waiting(Clockwork(), lambda: True).begin(fails())
