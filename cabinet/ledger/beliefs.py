"""What the cabinet has learnt: masses of products, goods that went astray, what heuristics in shadow thought.

Nothing here is money, and all of it may be lost.  The catalogue's own masses are never touched.  A visit, or a zone of
a technician's visit, teaches once: `lesson` remembers which did, in the transaction that keeps what it taught.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cabinet.basket.learning import Belief, Rival
from cabinet.basket.lessons import Strayed
from cabinet.basket.shadow import Opinion
from cabinet.basket.zonechange import ZoneChange
from cabinet.ledger.room import Room, from_json, to_json
from cabinet.units import Sku, VisitId, ZoneId

WHOLE = ""  # a visit's part: all of it
FORGOTTEN = ("belief", "lesson", "uncounted", "stray", "shadow")


@dataclass(frozen=True, slots=True)
class Stray:
    """So many units of a product stand in a zone that is not theirs; 0: it was found there, nobody knows how many."""

    zone: ZoneId
    sku: Sku
    since_visit: VisitId
    since_ms: int
    count: int
    found: int  # certain visits that took it from there


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A zone of a technician's visit whose grams and counts do not agree yet."""

    visit: VisitId
    purpose: str
    change: ZoneChange
    before: Mapping[Sku, int]


@dataclass(frozen=True, slots=True)
class ShadowCount:
    """How often a heuristic in shadow agreed, and how often it would have charged more or less."""

    name: str
    visits: int
    agreed: int
    more: int
    less: int
    failed: int
    more_minor: int
    less_minor: int


class BeliefRoom(Room):
    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Several writes as one: all of them are on disk afterwards, or none."""
        with self._file.writing():
            yield

    def beliefs(self) -> dict[Sku, Belief]:
        found = {}
        for row in self._file.rows("SELECT * FROM belief ORDER BY sku"):
            sku, rival = row.pop("sku"), row.pop("rival")
            row["sure"] = bool(row["sure"])
            found[Sku(sku)] = Belief(**row, rival=None if rival is None else Rival(**from_json(rival)))
        return found

    def strays(self) -> list[Stray]:
        return [Stray(**row) for row in self._file.rows("SELECT * FROM stray ORDER BY zone, sku")]

    def strays_in(self) -> dict[ZoneId, tuple[Sku, ...]]:
        """Which products went astray into each zone, for a visit's header."""
        found: dict[ZoneId, tuple[Sku, ...]] = {}
        for one in self.strays():
            found[one.zone] = (*found.get(one.zone, ()), one.sku)
        return found

    def shadows(self) -> list[ShadowCount]:
        return [ShadowCount(**row) for row in self._file.rows("SELECT * FROM shadow ORDER BY name")]

    def has_learnt(self, visit: VisitId, part: str = WHOLE) -> bool:
        return self._file.row("SELECT 1 FROM lesson WHERE visit = ? AND part = ?", visit, part) is not None

    def learn(
        self,
        visit: VisitId,
        at_ms: int,
        beliefs: Mapping[Sku, Belief],
        strayed: Sequence[Strayed] = (),
        opinions: Mapping[str, Opinion] | None = None,
        *,
        certain: bool = False,
    ) -> bool:
        """Keep what a shopper's visit taught, all of it or nothing.  False: it has taught already."""
        with self._file.writing():
            if not self._begin(visit, WHOLE):
                return False
            self._keep(beliefs)
            for one in strayed:
                self._stray(visit, at_ms, one, certain=certain)
            for name, opinion in (opinions or {}).items():
                self._count(name, opinion)
        return True

    def await_counts(
        self, visit: VisitId, purpose: str, changes: Sequence[tuple[ZoneChange, Mapping[Sku, int]]]
    ) -> bool:
        """Keep what a technician's visit weighed, with what was known before.  False: it is known already."""
        with self._file.writing() as db:
            if not self._begin(visit, WHOLE):
                return False
            for change, before in changes:
                row = {"visit": visit, "zone": change.zone, "purpose": purpose}
                db.table("uncounted").insert(
                    {**row, "change": to_json(asdict(change)), "before": to_json(dict(before))}
                )
        return True

    def uncounted(self) -> list[Uncounted]:
        return [
            Uncounted(row["visit"], row["purpose"], _change(from_json(row["change"])), from_json(row["before"]))
            for row in self._file.rows("SELECT * FROM uncounted ORDER BY visit, zone")
        ]

    def conclude(self, zone: Uncounted, beliefs: Mapping[Sku, Belief], *, touched: bool) -> bool:
        """The zone's grams and counts were compared; where it was `touched`, nothing in it is astray any more.

        False: they had been compared before.
        """
        with self._file.writing() as db:
            if not self._begin(zone.visit, zone.change.zone):
                return False
            db.execute("DELETE FROM uncounted WHERE visit = ? AND zone = ?", [zone.visit, zone.change.zone])
            self._keep(beliefs)
            if touched:
                db.execute("DELETE FROM stray WHERE zone = ?", [zone.change.zone])
        return True

    def forget_belief(self, sku: Sku) -> bool:
        """False if nothing was learnt of it."""
        with self._file.writing() as db:
            return bool(db.execute("DELETE FROM belief WHERE sku = ?", [sku]).rowcount == 1)

    def forget_learning(self) -> None:
        """As if the cabinet were new."""
        if any(self._file.row(f"SELECT 1 FROM {table} LIMIT 1") for table in FORGOTTEN):  # noqa: S608  our own table names
            with self._file.writing() as db:
                for table in FORGOTTEN:
                    db.execute(f"DELETE FROM {table}")  # noqa: S608  our own table names

    def last_service(self) -> VisitId | None:
        """The newest visit, if it was a technician's, has ended and was not weighed yet."""
        row = self._file.row("SELECT visit, outcome FROM visit ORDER BY n DESC LIMIT 1")
        if row is None or row["outcome"] != "serviced" or self.has_learnt(row["visit"]):
            return None
        return VisitId(row["visit"])

    def _begin(self, visit: VisitId, part: str) -> bool:
        """Inside the transaction that keeps what it teaches."""
        sql = "INSERT INTO lesson VALUES (?, ?) ON CONFLICT DO NOTHING"
        return bool(self._file.db.execute(sql, [visit, part]).rowcount == 1)

    def _keep(self, beliefs: Mapping[Sku, Belief]) -> None:
        known = {row["sku"] for row in self._file.rows("SELECT sku FROM product")} if beliefs else set()
        for sku, belief in beliefs.items():
            if sku in known:  # it may have left the catalogue since
                row: dict[str, Any] = {"sku": sku, **asdict(belief)}
                row["rival"] = None if belief.rival is None else to_json(asdict(belief.rival))
                names = ", ".join(row)
                marks = ", ".join("?" * len(row))
                sql = f"INSERT OR REPLACE INTO belief ({names}) VALUES ({marks})"  # noqa: S608  our own columns
                self._file.db.execute(sql, list(row.values()))

    def _stray(self, visit: VisitId, at_ms: int, moved: Strayed, *, certain: bool) -> None:
        if self._file.row("SELECT 1 FROM product WHERE sku = ?", moved.sku) is None:
            return
        seen = int(moved.found and certain)
        self._file.db.execute(
            "INSERT INTO stray VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (zone, sku) DO UPDATE SET"
            " count = max(0, count + ?), found = found + excluded.found",
            [moved.zone, moved.sku, visit, at_ms, max(0, moved.count), seen, moved.count],
        )

    def _count(self, name: str, opinion: Opinion) -> None:
        row = (
            1, int(opinion.agrees), int(opinion.more_minor > 0), int(opinion.more_minor < 0),
            int(opinion.outcome == "failed"), max(0, opinion.more_minor), max(0, -opinion.more_minor),
        )  # fmt: skip  # a row
        columns = ("visits", "agreed", "more", "less", "failed", "more_minor", "less_minor")
        added = ", ".join(f"{column} = {column} + excluded.{column}" for column in columns)
        sql = f"INSERT INTO shadow VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET {added}"  # noqa: S608  our own columns
        self._file.db.execute(sql, [name, *row])


def _change(row: dict[str, Any]) -> ZoneChange:
    return ZoneChange(**{**row, "steps": tuple((g, sd_g) for g, sd_g in row["steps"])})
