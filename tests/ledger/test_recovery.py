"""A damaged ledger: moved aside, recovered into a new store, nothing readable lost, nothing charged twice."""

import contextlib
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cabinet import wire
from cabinet.cloud.service import CloudService
from cabinet.cloud.store import CloudStore
from cabinet.ledger import (
    Adjustment,
    Ledger,
    LedgerDamagedError,
    LedgerError,
    LedgerForeignError,
    pages,
    recovery,
    salvage,
)
from cabinet.session.states import Idle, Watching
from tests.ledger.examples import ANNA, CATALOG, COLA, opened, shop, stamp, visit_id

CAB, KEY = "cab-1", b"k" * 32
VISITS = 40
CONFIRMED = 20  # events the cloud had acknowledged before the damage
PAGE = pages.PAGE
WAYS = ["recover", "pages"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With SQLite's command, and on a cabinet that has none."""
    if request.param == "pages":
        monkeypatch.setattr(salvage, "COMMAND", "no-such-sqlite3")
    return str(request.param)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound ledger and its cloud, closed."""
    folder = tmp_path_factory.mktemp("original")
    store = CloudStore(folder / "cloud.db")
    fill(folder / "ledger.db", CloudService(store, {CAB: KEY}))
    store.close()
    return folder


@pytest.fixture
def cloud(tmp_path: Path, original: Path) -> Iterator[CloudService]:
    shutil.copy(original / "cloud.db", tmp_path / "cloud.db")
    store = CloudStore(tmp_path / "cloud.db")
    yield CloudService(store, {CAB: KEY})
    store.close()


@pytest.fixture
def path(tmp_path: Path, original: Path) -> Path:
    """Of the ledger that is to be damaged."""
    return Path(shutil.copy(original / "ledger.db", tmp_path / "ledger.db"))


def tell(cloud: CloudService, ledger: Ledger, limit: int = 1000) -> None:
    """Everything that waits, and its acknowledgements."""
    for row in ledger.unacknowledged(limit):
        (reply, *_) = cloud.heard(
            wire.topic(CAB, "up", "ev"), wire.canonical(row.message()), mono_ms=0, wall_ms=stamp().wall_ms
        )
        ack = wire.parse(reply.payload)
        ledger.acknowledge(ack["upto"], ack["h"], {one["seq"]: one["h"] for one in ack["selective"]}, clock=stamp())


def fill(path: Path, cloud: CloudService) -> None:
    """Forty visits, half of their events confirmed; goods, and a note."""
    with Ledger(path) as ledger:
        for sku, product in CATALOG.items():
            ledger.put_product(sku, product)
        ledger.set_note("stock.short:s1:x", "3")
        for number in range(1, VISITS + 1):
            shop(ledger, number)
            if number == CONFIRMED // 2:
                tell(cloud, ledger)
        ledger._file.forget_deleted()


def readable(path: Path, original: Path) -> set[str]:
    """Visits whose closing event has all its bytes where they were, on a page whose head is what it was."""
    before, after = (original / "ledger.db").read_bytes(), path.read_bytes()
    with Ledger(original / "ledger.db", read_only=True) as told:
        rows = [row for row in told.outbox(1000) if row.type == "visit.closed"]
    found = set()
    for row in rows:
        text = f"{row.visit}{row.type}{wire.canonical(row.body).decode()}{row.prev}{row.h}{row.boot}".encode()
        at = before.index(text)
        page = at // PAGE * PAGE
        cells = int.from_bytes(before[page + 3 : page + 5], "big")
        head, record = slice(page, page + 8 + 2 * cells), slice(at - 64, at + len(text) + 24)
        if row.visit and before[head] == after[head] and before[record] == after[record]:
            found.add(str(row.visit))
    return found


def recovered(path: Path) -> tuple[Ledger, recovery.Recovered | None]:
    return recovery.opened(path, stamp(), lambda: "01J" + "Z" * 23)


def charges(cloud: CloudService) -> Counter[str]:
    return Counter({charge.visit: charge.total_minor for charge in cloud._store.charges()})


def check(path: Path, original: Path, cloud: CloudService) -> recovery.Recovered | None:
    """What must hold however the file was damaged."""
    wanted = readable(path, original)
    ledger, found = recovered(path)
    with ledger:
        assert ledger.rotten() is None
        assert not ledger.open_visits()
        events = [row for row in ledger.outbox(1000) if row.type == "visit.closed"]
        assert max(Counter(row.visit for row in events).values(), default=0) <= 1
        tell(cloud, ledger)
        assert ledger.split() is None
        assert not ledger.unacknowledged()
    got = charges(cloud)
    assert wanted <= set(got)
    assert all(got[visit_id(n)] in {0, n * 250} for n in range(1, VISITS + 1))
    assert not [alarm for alarm in cloud._store.alarms() if alarm.kind in {"amount", "sum", "fork"}]
    return found


def zero_pages(content: bytearray, dice: random.Random) -> None:
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(content) // PAGE) * PAGE
        content[at : at + PAGE] = bytes(PAGE)


def spoil_bytes(content: bytearray, dice: random.Random) -> None:
    for _ in range(dice.randint(1, 60)):
        content[dice.randrange(100, len(content))] ^= 1 << dice.randrange(8)


def scribble_pages(content: bytearray, dice: random.Random) -> None:
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(content) // PAGE) * PAGE
        content[at : at + PAGE] = dice.randbytes(PAGE)


def cut(content: bytearray, dice: random.Random) -> None:
    del content[dice.randrange(2 * PAGE, len(content)) :]


def zero_header(content: bytearray, dice: random.Random) -> None:
    content[:100] = bytes(100)


def zero_first_page(content: bytearray, dice: random.Random) -> None:
    content[:PAGE] = bytes(PAGE)


DAMAGE = [zero_pages, spoil_bytes, scribble_pages, cut, zero_header, zero_first_page]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_no_readable_charge_is_lost_and_none_is_doubled(
    path: Path,
    original: Path,
    cloud: CloudService,
    way: str,
    damage: Callable[[bytearray, random.Random], None],
    seed: int,
) -> None:
    content = bytearray(path.read_bytes())
    damage(content, random.Random(seed))
    path.write_bytes(content)
    found = check(path, original, cloud)
    if damage in {zero_header, zero_first_page}:
        assert found is not None
        assert found.how.startswith("by sqlite3") == (way == "recover")


@pytest.mark.parametrize("garbage", [b"\x00" * 9000, b"garbage" * 2000, b""], ids=["zeros", "text", "empty"])
def test_a_log_of_garbage_costs_nothing_of_the_file(
    path: Path, original: Path, cloud: CloudService, garbage: bytes
) -> None:
    path.with_name("ledger.db-wal").write_bytes(garbage)
    assert check(path, original, cloud) is None
    assert len(charges(cloud)) == VISITS


def test_what_is_only_in_the_log_is_recovered_with_the_file(path: Path, cloud: CloudService, way: str) -> None:
    """As a power cut leaves it: the newest visits are not in the file yet."""
    before = path.read_bytes()
    with Ledger(path) as ledger:
        shop(ledger, VISITS + 1)
        log = path.with_name("ledger.db-wal").read_bytes()
    path.write_bytes(before)
    path.with_name("ledger.db-wal").write_bytes(log)
    content = bytearray(path.read_bytes())
    content[:100] = bytes(100)
    path.write_bytes(content)
    with recovered(path)[0] as mended:
        assert mended.visit(visit_id(VISITS + 1)) is not None
        tell(cloud, mended)
    assert len(charges(cloud)) == VISITS + 1


@pytest.fixture
def damaged(path: Path) -> Path:
    content = bytearray(path.read_bytes())
    content[:100] = bytes(100)
    path.write_bytes(content)
    return path


def test_the_damaged_file_is_kept_as_it_was(damaged: Path) -> None:
    before = damaged.read_bytes()
    recovered(damaged)[0].close()
    (kept,) = recovery.damaged_files(damaged)
    assert kept.read_bytes() == before


def test_a_new_store_tells_of_it_and_nothing_is_sold_until_the_cloud_has_stored_that(
    damaged: Path, cloud: CloudService
) -> None:
    with recovered(damaged)[0] as ledger:
        assert "damaged and recovered" in (ledger.split() or "")
        (last,) = ledger.outbox(1)
        assert (last.type, last.body["at"]) == ("incident", "ledger")
        assert "kept 40 visits, 80 events" in last.body["why"]
        tell(cloud, ledger)
        assert ledger.split() is None


def test_goods_notes_and_confirmed_events_are_kept(damaged: Path, way: str) -> None:
    with recovered(damaged)[0] as ledger:
        assert ledger.catalog() == CATALOG
        assert ledger.note("stock.short:s1:x") == "3"
        assert ledger.backlog()[0] == 2 * VISITS - CONFIRMED + 1


def test_a_visit_under_way_goes_on_after_the_recovery(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    state = Watching(visit_id(1), ANNA, 1.0, 2.0)
    with Ledger(path) as ledger:
        ledger.commit(state, [opened(1)], stamp())
    spoil(path)
    with recovered(path)[0] as ledger:
        assert (ledger.state(), [record.visit for record in ledger.open_visits()]) == (state, [visit_id(1)])


def test_a_visit_that_nobody_goes_on_with_is_closed_once_as_a_review(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        ledger.commit(Idle(), [opened(1)], stamp())
    spoil(path)
    with recovered(path)[0] as ledger:
        record = ledger.visit(visit_id(1))
        assert record is not None
        assert (record.outcome, record.total_minor) == ("review", 0)


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[:16] = bytes(16)
    path.write_bytes(content)


def spoil_event(path: Path, sql: str) -> None:
    """As a bit that has turned: behind the triggers' back, with every page in order."""
    with Ledger(path) as ledger:
        ledger._file.connection.executescript(
            f"DROP TRIGGER event_never_changes; DROP TRIGGER visit_is_closed_once;{sql}"
        )


def test_an_event_that_has_rotted_is_found_at_boot_and_told_anew_from_its_visit(
    path: Path, cloud: CloudService
) -> None:
    spoil_event(path, "UPDATE outbox SET body = replace(body, '7500', '7400') WHERE seq = 60")
    ledger, found = recovered(path)
    with ledger:
        assert found is not None
        tell(cloud, ledger)
    assert charges(cloud)[visit_id(30)] == 7500


def test_a_visit_whose_event_and_sums_are_both_wrong_is_for_a_person(path: Path, cloud: CloudService) -> None:
    spoil_event(
        path,
        "UPDATE visit SET total_minor = 7400 WHERE total_minor = 7500;"
        "UPDATE outbox SET body = replace(body, '7500', '7400') WHERE seq = 60",
    )
    with recovered(path)[0] as ledger:
        record = ledger.visit(visit_id(30))
        assert record is not None
        assert (record.outcome, record.total_minor) == ("review", 0)
        tell(cloud, ledger)
    assert visit_id(30) not in charges(cloud)


@pytest.mark.parametrize("event_lost", [True, False])
def test_a_refund_is_told_to_the_cloud_once_whether_or_not_its_event_is_readable(
    path: Path, *, event_lost: bool
) -> None:
    with Ledger(path) as ledger:
        ledger.adjust(Adjustment("01J" + "R" * 23, visit_id(30), "refund", "stale", "rosa", 250), stamp())
    spoil_event(
        path, "UPDATE outbox SET body = replace(body, 'stale', 'fresh') WHERE type = 'visit.refunded';" * event_lost
    )
    spoil(path)
    with recovered(path)[0] as ledger:
        waiting = [row.body for row in ledger.unacknowledged(1000) if row.type == "visit.refunded"]
        assert [(body["id"], body["back_minor"], body["reason"]) for body in waiting] == [
            ("01J" + "R" * 23, 250, "stale")
        ]
        assert [change.back_minor for change in ledger.adjustments(visit_id(30))] == [250]


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE shopping (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(LedgerForeignError):
        recovered(path)
    assert (path.read_bytes(), recovery.damaged_files(path)) == (before, [])


def test_a_file_without_a_single_readable_row_is_for_a_person(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"garbage" * 3000)
    with pytest.raises(LedgerDamagedError, match="put back the last copy"):
        recovered(path)
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.db"]


STEPS = 10  # files linked, removed and renamed by a recovery with a log beside the file


@pytest.mark.parametrize("step", range(STEPS + 1))
def test_a_power_cut_while_recovering_loses_nothing(
    damaged: Path, cloud: CloudService, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """The program ends before any one of the steps by which the new file gets to its place."""
    damaged.with_name("ledger.db-wal").write_bytes(b"torn")
    done: list[str] = []
    with monkeypatch.context() as patched:
        for name in ("unlink", "replace", "hardlink_to"):
            patched.setattr(Path, name, dying(name, step, done))
        with contextlib.suppress(PowerCutError):
            recovered(damaged)[0].close()
    assert len(done) == step
    with recovered(damaged)[0] as ledger:
        assert len(ledger.visits(1000)) == VISITS
        tell(cloud, ledger)
    assert len(charges(cloud)) == VISITS
    assert len(recovery.damaged_files(damaged)) == 1
    assert not list(damaged.parent.glob("ledger.db.recover*"))


class PowerCutError(BaseException):
    """Nobody catches it."""


def dying(name: str, after: int, done: list[str]) -> Callable[..., Any]:
    """Path's own method, until so many of them are done."""
    real = getattr(Path, name)

    def method(self: Path, *words: Any, **options: Any) -> Any:
        if len(done) == after:
            raise PowerCutError
        done.append(name)
        return real(self, *words, **options)

    return method


def test_after_a_recovery_the_board_is_asked_from_its_first_entry(damaged: Path) -> None:
    with recovered(damaged)[0] as ledger:
        assert ledger.journal_next("00" * 8) == 1
        assert ledger.catalog()[COLA].name == "Cola"


def test_a_recovery_that_fails_as_well_says_both(damaged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recovery, "whole", lambda *_, **__: full())
    with pytest.raises(LedgerError, match=r"is damaged .*recovering it failed as well: .*No space left"):
        recovered(damaged)
