"""What a person does about money at the far end: told in a sentence or as JSON, refused with the remedy."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.cloud.money.conftest import CAB, Shop, event

V = "01JVISIT00000000000000000A"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """One visit, charged and captured."""
    made = Shop(str(tmp_path / "cloud.db"), tmp_path / "provider.db")
    made.close(V)
    made.work()
    return made


def as_json(cli: Cli, *words: str) -> Any:
    done = cli("cloud", *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_refund_is_booked_once_and_the_visits_story_tells_it(cli: Cli, shop: Shop) -> None:
    told = as_json(cli, "refund", V, "--amount", "250", "--reason", "stale", "--who", "eve", "--db", shop.url)
    shop.clock.ms = 2_000_000_000_000  # the command's clock is the real one
    shop.work()
    story = as_json(cli, "visit", V, "--db", shop.url)
    assert [(row["id"], row["who"], row["state"]) for row in story["adjustments"]] == [(told["refund"], "eve", "paid")]
    assert (story["payment"]["returned_minor"], story["charge"]["total_minor"]) == (250, 700)
    said = cli("cloud", "visit", V, "--db", shop.url).stdout
    assert all(word in said for word in ("7.00 EUR", "refund", "attempts", "postings", "revenue", "stale"))


def test_more_than_the_charge_is_refused_with_what_is_left(cli: Cli, shop: Shop) -> None:
    done = cli("cloud", "refund", V, "--amount", "701", "--reason", "stale", "--db", shop.url)
    assert (done.exit_code, "700 EUR left" in done.stderr) == (1, True)


def test_a_visit_in_doubt_is_settled_and_a_settled_one_is_not(cli: Cli, shop: Shop) -> None:
    shop.ask("v2")
    shop.close_without("v2", "review")
    told = as_json(cli, "settle", "v2", "--capture", "450", "--reason", "one can", "--db", shop.url)
    assert (told["state"], told["due_minor"]) == ("due", 450)
    done = cli("cloud", "settle", "v2", "--release", "--reason", "?", "--db", shop.url)
    assert (done.exit_code, "nothing to decide" in done.stderr) == (1, True)


@pytest.mark.parametrize("words", [(), ("--release", "--capture", "1"), ("--again", "--release")])
def test_one_decision_is_needed(cli: Cli, shop: Shop, words: tuple[str, ...]) -> None:
    assert cli("cloud", "settle", V, *words, "--reason", "?", "--db", shop.url).exit_code == 2


def test_a_debt_is_written_off(cli: Cli, shop: Shop) -> None:
    shop.office.set_wallet("ada", "cus_ada", "declines", 0)
    shop.close("v2")
    shop.work()
    told = as_json(cli, "write-off", "v2", "--reason", "moved away", "--db", shop.url)
    assert (told["writeoff_minor"], shop.state("v2")) == (700, "written off")


def test_disputes_are_listed_and_answered(cli: Cli, shop: Shop) -> None:
    assert as_json(cli, "disputes", "--db", shop.url) == {"disputes": []}
    said = {"id": "d1", "reason": "I had one", "who": "ada", "evidence": "t.zip", "due_ms": 1}
    with shop.books.writing(CAB):
        shop.counter.adjusted(CAB, event("visit.disputed", V, **said), 0)
    assert "I had one" in cli("cloud", "disputes", "--due", "--db", shop.url).stdout
    words = ("answer", "d1", "--outcome", "refund", "--reason", "agreed", "--db", shop.url)
    assert as_json(cli, *words)["back_minor"] == 700
    assert cli("cloud", *words).exit_code == 1
    assert as_json(cli, "disputes", "--due", "--db", shop.url) == {"disputes": []}


def test_members_are_blocked_and_unblocked(cli: Cli, shop: Shop) -> None:
    assert as_json(cli, "block", "eve", "--reason", "stole", "--db", shop.url)["blocked"]
    assert as_json(cli, "unblock", "eve", "--db", shop.url)["was_blocked"]
    assert "was not on" in cli("cloud", "unblock", "eve", "--db", shop.url).stdout


def test_a_wallet_keeps_tokens_and_refuses_a_card(cli: Cli, shop: Shop) -> None:
    words = ("wallet", "set", "bob", "--customer", "cus_bob", "--db", shop.url, "--method")
    assert as_json(cli, *words, "pm_bob")["wallet"]
    done = cli("cloud", *words, "4242424242424242")
    assert (done.exit_code, "4242" in done.output) == (1, False)


def test_the_balance_adds_up_to_nothing(cli: Cli, shop: Shop) -> None:
    told = as_json(cli, "balance", "--db", shop.url)
    assert (told["off_minor"], {row["account"] for row in told["accounts"]}) == (
        {"EUR": 0},
        {"clearing", "revenue", "receivable:ada", "hold:ada", "holds"},
    )
    assert "clearing" in cli("cloud", "balance", "--db", shop.url).stdout


def test_the_providers_books_are_exported_line_by_line_and_no_file_is_overwritten(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    out = tmp_path / "pay.jsonl"
    words = ("provider-export", "--provider", f"sandbox:{shop.file}", "--out", str(out))
    assert as_json(cli, *words)["intents"] == 1
    assert json.loads(out.read_text(encoding="utf-8")) == {
        "key": V, "visit": V, "intent": "sb_1", "status": "captured", "amount_minor": 700, "captured_minor": 700,
        "refunded_minor": 0, "currency": "EUR",
    }  # fmt: skip  # a table
    assert cli("cloud", *words).exit_code == 2


@pytest.mark.parametrize("provider", ["none", "paypal:x"])
def test_what_has_no_books_is_not_exported(cli: Cli, tmp_path: Path, provider: str) -> None:
    done = cli("cloud", "provider-export", "--provider", provider, "--out", str(tmp_path / "o"))
    assert (done.exit_code, (tmp_path / "o").exists()) == (2, False)


@pytest.mark.parametrize("words", [("visit", V), ("balance",), ("disputes",), ("unblock", "ada")])
def test_books_that_are_not_there_are_not_made(cli: Cli, tmp_path: Path, words: tuple[str, ...]) -> None:
    done = cli("cloud", *words, "--db", str(tmp_path / "none.db"))
    assert (done.exit_code, (tmp_path / "none.db").exists()) == (2, False)


def test_an_unknown_visit_is_said_to_be_unknown(cli: Cli, shop: Shop) -> None:
    assert cli("cloud", "visit", "nobody", "--db", shop.url).exit_code == 1
