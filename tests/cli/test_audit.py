"""`cabinet audit` as a person and a script see it: words, JSON and exit codes."""

import json
import sqlite3
from pathlib import Path

import pytest

from cabinet.cloud.store import CloudStore
from cabinet.ledger import Ledger
from tests.cli.conftest import Cli
from tests.ledger.examples import shop, stamp, visit_id


@pytest.fixture
def books(tmp_path: Path) -> tuple[str, str]:
    edge, cloud = tmp_path / "ledger.db", tmp_path / "cloud.db"
    store = CloudStore(cloud)
    with Ledger(edge) as ledger:
        for number in (1, 2):
            shop(ledger, number)
        for row in ledger.unacknowledged():
            store.take("c1", row.message(), 1_795_000_000_000)
        ledger.acknowledge(*ledger.head(), clock=stamp())
    store.close()
    return str(edge), str(cloud)


def test_books_that_agree_end_with_0_and_say_so(books: tuple[str, str], cli: Cli) -> None:
    done = cli("audit", "--edge", books[0], "--ledger", books[1])
    assert done.exit_code == 0
    assert "0 lost, 0 doubled, 0 gaps, 0 forks: the books agree" in done.stdout
    told = json.loads(cli("audit", "--edge", books[0], "--ledger", f"sqlite:///{books[1]}", "--json").stdout)
    assert (told["ok"], told["sold"], told["lost"], told["findings"]) == (True, 2, 0, [])


def test_a_missing_charge_ends_with_1_and_names_the_visit(books: tuple[str, str], cli: Cli) -> None:
    with sqlite3.connect(books[1]) as cloud:
        cloud.execute("DELETE FROM charge WHERE visit = ?", [visit_id(2)])
    done = cli("audit", "--edge", books[0], "--ledger", books[1])
    assert (done.exit_code, visit_id(2) in done.stdout, visit_id(1) in done.stdout) == (1, True, False)
    done = cli("audit", "--edge", books[0], "--ledger", books[1], "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"], told["lost"], told["findings"][0]["visit"]) == (1, False, 1, visit_id(2))


@pytest.mark.parametrize(
    ("edge", "ledger", "says"),
    [
        ("none.db", "", "none.db is not there"),
        ("", "none.db", "none.db"),
        ("", "mongodb://x/y", "mongodb:// is no database we know"),
        ("", "postgresql://books@127.0.0.1:9/none", "does not answer"),
        ("", "words.txt", "words.txt"),
        ("words.txt", "", "words.txt"),
    ],
)
def test_what_cannot_be_read_ends_with_2_and_is_named(
    edge: str, ledger: str, says: str, books: tuple[str, str], cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "words.txt").write_text("these are only words " * 100)
    named = str(tmp_path / edge) if edge else books[0]
    where = ledger if "://" in ledger else str(tmp_path / ledger) if ledger else books[1]
    done = cli("audit", "--edge", named, "--ledger", where)
    assert (done.exit_code, done.stdout) == (2, "")
    assert says in done.stderr.replace("\n", "")


def test_an_export_that_is_none_ends_with_2(books: tuple[str, str], cli: Cli, tmp_path: Path) -> None:
    export = tmp_path / "p.jsonl"
    export.write_text("no json\n")
    done = cli("audit", "--edge", books[0], "--ledger", books[1], "--provider", str(export))
    assert (done.exit_code, "p.jsonl line 1 is no line" in done.stderr.replace("\n", "")) == (2, True)
