"""Logs hold no card numbers and no member's code, and stay readable."""

import io
import logging
from collections.abc import Iterator

import pytest

from cabinet import logsafe

CARD = "4111111111111111"


class Desk:
    def __init__(self) -> None:
        self.text = io.StringIO()
        self.handler = logging.StreamHandler(self.text)
        self.handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
        self.handler.addFilter(logsafe.Redaction())
        self.log = logging.getLogger("some.library")

    def said(self) -> str:
        return self.text.getvalue()


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    root = logging.getLogger()
    before = root.level
    logsafe.COUNTS["log_lines_redacted"] = 0
    root.setLevel(logging.INFO)
    root.addHandler(made.handler)
    yield made
    root.removeHandler(made.handler)
    root.setLevel(before)
    logsafe.COUNTS["log_lines_redacted"] = 0


@pytest.mark.parametrize(
    "card",
    [CARD, "4111 1111 1111 1111", "4111-1111-1111-1111", "378282246310005", "6011111111111117", "5555555555554444"],
)
def test_a_card_number_is_hidden_and_counted(desk: Desk, card: str) -> None:
    desk.log.warning("payment of %s refused", card)
    assert "payment of [redacted] refused" in desk.said()
    assert card not in desk.said()
    assert logsafe.COUNTS["log_lines_redacted"] == 1


def test_a_members_code_is_hidden(desk: Desk) -> None:
    desk.log.info("read code=%s", "CAB1:ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert "code=CAB1:[redacted]" in desk.said()
    assert "ABCDEFGH" not in desk.said()


def test_an_exceptions_text_is_hidden_with_its_traceback(desk: Desk) -> None:
    try:
        int(f"no such card {CARD}")
    except ValueError:
        desk.log.exception("it failed")
    assert CARD not in desk.said()
    assert "ValueError: invalid literal for int() with base 10: 'no such card [redacted]'" in desk.said()


def test_it_is_reported_once_and_counted_always(desk: Desk) -> None:
    for _ in range(3):
        desk.log.info("card %s", CARD)
    assert desk.said().count("log_redacted logger=some.library") == 1
    assert logsafe.COUNTS["log_lines_redacted"] == 3


@pytest.mark.parametrize(
    "line",
    [
        "visit=01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "sku=4006381333931 short=2",
        "sku='4000000000006' added",
        f"h={'4111111111111111' * 4}",
        "wall_ms=1795797000000",
        "store=4111111111111111aabbccdd00112233",
        "masses 4111.111111111111111 g",
        "card 4111111111111112",
        "EAN 1234567890128",
    ],
)
def test_what_is_no_card_stays_readable(desk: Desk, line: str) -> None:
    desk.log.info(line)
    assert line in desk.said()
    assert logsafe.COUNTS["log_lines_redacted"] == 0


def test_a_message_that_does_not_fit_its_arguments_is_still_hidden(desk: Desk) -> None:
    desk.log.warning("no place for it", CARD)  # noqa: PLE1205  # that is the case
    assert CARD not in desk.said()


def test_every_handler_is_guarded_once(desk: Desk) -> None:
    logsafe.guard()
    logsafe.guard()
    assert sum(isinstance(one, logsafe.Redaction) for one in desk.handler.filters) == 1


@pytest.mark.parametrize("kind", ["CAB1", "CAB2", "CAB3", "CABN"])
def test_every_kind_of_code_is_hidden_and_its_kind_is_not(kind: str) -> None:
    assert logsafe.redacted(f"shown {kind}:{'ABCD2345' * 4} twice") == f"shown {kind}:[redacted] twice"
