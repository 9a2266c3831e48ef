"""Thousands of visits by a population of shoppers, with misfortunes at random points, and the watchman after each step.

A seed is a visit: `Seed.number` names the campaign, the place in it and the kind of shopper, so that one number plays
the visit again, step by step.  Visits share a few cabinets, each restocked and rested before the next comes; whatever
ends otherwise than at rest begins with a fresh one.
"""

import gc
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

from cabinet.basket.score import Truth
from cabinet.cloud.money.sandbox import Moods
from cabinet.daemon import Happened
from cabinet.identity.credit import Limits
from cabinet.proving.notebook import AFTER_S
from cabinet.proving.paying import PayingFarEnd
from cabinet.proving.player import Player
from cabinet.proving.recorded import Recorded
from cabinet.proving.stage import Settings, Stage
from cabinet.proving.telling import FOLDERS, note
from cabinet.proving.watchman import Account, Violation, Watchman, outcome_of
from cabinet.session.states import Authenticating, Idle
from cabinet.sim import people, shop, story
from cabinet.sim.people import KINDS, Kind

Mix = Literal["honest", "hostile", "faults", "all"]
MIXES: tuple[Mix, ...] = ("honest", "hostile", "faults", "all")
SHOPS = 6  # the usual one and five drawn ones
ZONES = (3, 4, 2, 3, 5)  # of the drawn shops: cabinets on the market weigh two to six shelves
RENEW_AFTER = 400  # visits of one ledger file: what is proven is proven, and the file stays small
COLLECT_EVERY = 50  # cabinets that are left: each is a knot of callbacks that only the collector unties
STRIDE = 1_000_003  # between two campaigns' seeds
BEGIN_S = 5.0
HOLD_MINOR = 200  # what one thing costs: many visits go beyond their hold
MONEY_EVERY: dict[Kind, int] = {"honest": 16, "hostile": 4, "faults": 1}  # the other visits have no far end: it costs
SHOPPER = "ann"  # who comes in every script
A_NIGHT_MS = 8 * 3_600_000
AGAIN_S = 8.0  # somebody who owes stands at the door
MOODS: dict[Kind, Moods] = {  # of the provider; a card that says no is the people's, see CARDS
    "honest": Moods(),
    "hostile": Moods(partial=0.1),
    "faults": Moods(decline=0.1, partial=0.05, lost_before=0.08, lost_after=0.08, twice=0.05),
}
CARDS: dict[Kind, dict[str, float]] = {  # shares (J)
    "honest": {"works": 1.0},
    "hostile": {"works": 0.75, "declines": 0.05, "grants": 0.2},
    "faults": {"works": 0.68, "declines": 0.02, "grants": 0.3},
}


@dataclass(frozen=True, slots=True)
class Seed:
    number: int
    kind: Kind

    @classmethod
    def of(cls, campaign: int, place: int, mix: Mix) -> "Seed":
        base = campaign * STRIDE + place
        kind = _kind(random.Random(base)) if mix == "all" else mix
        return cls(base * len(KINDS) + KINDS.index(kind), kind)

    @classmethod
    def read(cls, number: int) -> "Seed":
        return cls(number, KINDS[number % len(KINDS)])

    @property
    def shop(self) -> int:
        return self.number // len(KINDS) % SHOPS

    @property
    def paid(self) -> bool:
        """Whether this visit has a far end with money."""
        return self.number // len(KINDS) // SHOPS % MONEY_EVERY[self.kind] == 0


def _kind(dice: random.Random) -> Kind:
    return dice.choices(list(people.ALL), list(people.ALL.values()))[0]


@dataclass
class Ended:
    """One seed's visit (or two), played."""

    seed: Seed
    script: people.Script
    violations: list[Violation]
    outcomes: list[str]
    steps: int
    killed_in: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    traces: list[Recorded] = field(default_factory=list)


@dataclass
class _Home:
    """One cabinet that visits share, and where its files are."""

    folder: Path
    stage: Stage
    visits: int = 0


class Ground:
    """Plays seeds.  Use as a context: its files are gone afterwards."""

    def __init__(self, settings: Settings | None = None, *, keep_log: bool = False, keep_traces: bool = False) -> None:
        self._settings = replace(settings or Settings(), credit=Limits(hold_minor=HOLD_MINOR))
        self._keep_log, self._keep_traces = keep_log, keep_traces
        self._folder = Path(tempfile.mkdtemp(prefix="proving-", dir=next(f for f in FOLDERS if f.is_dir())))
        self._homes: dict[tuple[int, Kind, bool], _Home] = {}
        self._made = self._left = 0
        self._steps: list[Happened] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for home in self._homes.values():
            self._leave(home)
        shutil.rmtree(self._folder, ignore_errors=True)

    def play(self, seed: Seed) -> Ended:
        dice = random.Random(seed.number)
        home = self._home(seed, dice)
        stage = home.stage
        self._steps.clear()
        script = people.drawn(seed.kind, dice, stage.plan)
        told = story.parse("\n".join(script.lines), f"seed-{seed.number}", f"seed {seed.number}", stage.plan)
        watchman = Watchman(stage)
        player = Player(stage, watchman, told=False, pauses=script.pause)
        began = len(stage.cabinet.committed.entries)
        player.play(told)
        player.end()
        watchman.finish_visits()
        if stage.far_end is not None and stage.cabinet.alive:
            self._settle_up(stage, watchman)
        accounts = list(watchman.accounts.values())
        truths = [_truth(account, script) for account in accounts]
        ended = Ended(
            seed, script, watchman.violations, [outcome_of(a, t) for a, t in zip(accounts, truths, strict=True)],
            len(self._steps), list(stage.cabinet.died_in), accounts=accounts,
        )  # fmt: skip
        if self._keep_log:
            ended.log = sorted([*player.log, *note(self._steps)], key=lambda line: float(line.split()[0]))
        if self._keep_traces:
            stage.run_for(AFTER_S)
            told_of = zip(accounts, truths, ended.outcomes, strict=True)
            kept = [stage.notebook.keep(a.visit, t, outcome, stage.plan) for a, t, outcome in told_of]
            ended.traces = [one for one in kept if one is not None]
        ended.outcomes = ended.outcomes or ["refused"]
        del stage.cabinet.committed.entries[:began]
        self._after(home, watchman)
        return ended

    def _settle_up(self, stage: Stage, watchman: Watchman) -> None:
        """What waits is sent to the far end; both ends must then say the same, and so must the provider.

        Whoever owes comes once more, and is not let in.  Then all that is open is wound up, and nothing may be left.
        """
        far_end, cabinet, bad = stage.far_end, stage.cabinet, stage.luck.wire == "loses answers"
        assert far_end is not None  # noqa: S101  asked before
        if not far_end.deliver(cabinet.ledger, cabinet.wall.stamp(), bad=bad):
            watchman.violated("books", "what waits is not acknowledged")
        for what in far_end.disagreements(cabinet.ledger, {a.visit for a in watchman.accounts.values()}):
            watchman.violated("books", what)
        watchman.finish_money(at_rest=False)
        if far_end.unpaid_minor(SHOPPER) and not bad:
            stage.luck.wire = "back"
            far_end.card(SHOPPER, "works")  # nothing but the debt is in the way
            stage.come(SHOPPER, "face")
            stage.run_until(lambda: not isinstance(cabinet.state, Idle | Authenticating), AGAIN_S)
            stage.door.person = None
        far_end.wind_up()
        watchman.finish_money(at_rest=True)

    # Cabinets.

    def _home(self, seed: Seed, dice: random.Random) -> _Home:
        place = seed.shop, seed.kind, seed.paid
        home = self._homes.get(place)
        if home is not None and home.visits < RENEW_AFTER:
            home.visits += 1
            _begin(home.stage, seed, dice)
            return home
        if home is not None:
            self._leave(home)
        self._made += 1
        folder = self._folder / f"cabinet-{self._made}"
        folder.mkdir()
        stage = Stage(folder, plan_of(seed.shop), random.Random(0), self._settings, watcher=self._steps.append)
        if seed.paid:
            moods = MOODS[seed.kind]
            stage.far_end = PayingFarEnd(folder / "cloud.db", random.Random(0), lambda: stage.time.now_s, moods)
        stage.start()
        self._steps.clear()
        _begin(stage, seed, dice)
        self._homes[place] = _Home(folder, stage, 1)
        return self._homes[place]

    def _after(self, home: _Home, watchman: Watchman) -> None:
        """Keep the cabinet where it is at rest; check its file against what was committed where it goes."""
        stage = home.stage
        at_rest = stage.cabinet.alive and stage.cabinet.state == Idle() and stage.board.at_rest
        if at_rest and not watchman.violations and home.visits < RENEW_AFTER:
            return
        stage.cabinet.close()
        watchman.finish_books()
        for place, known in list(self._homes.items()):
            if known is home:
                del self._homes[place]
        self._leave(home)

    def _leave(self, home: _Home) -> None:
        home.stage.cabinet.close()
        if home.stage.far_end is not None:
            home.stage.far_end.close()
        shutil.rmtree(home.folder, ignore_errors=True)
        self._left += 1
        if self._left % COLLECT_EVERY == 0:
            gc.collect()


def _begin(stage: Stage, seed: Seed, dice: random.Random) -> None:
    """The cabinet as in the morning; what the far end knows is known here, and this seed's shopper has a card."""
    stage.renew(dice)
    if stage.far_end is not None:
        shares, own = CARDS[seed.kind], random.Random(seed.number + 1)
        what: Any = own.choices(list(shares), list(shares.values()))[0]
        stage.far_end.pass_by(A_NIGHT_MS)
        stage.far_end.card(SHOPPER, what, own.randrange(50, 300))
        stage.far_end.deliver(stage.cabinet.ledger, stage.cabinet.wall.stamp(), bad=False)


def plan_of(number: int) -> shop.Plan:
    """The usual shop, or one of five that a seed has drawn."""
    if number == 0:
        return shop.usual()
    return shop.drawn(random.Random(number), zones=ZONES[number % len(ZONES)])


def _truth(account: Account, script: people.Script) -> Truth:
    """A careful person would accept a review of what a fraud or a fault has touched."""
    outcome: Literal["charge", "either"] = "charge" if script.tags[0] == "honest" else "either"
    basket = {sku: n for sku, n in account.left.items() if n > 0}
    return Truth(basket, outcome, account.moved, "; ".join(script.lines), tuple(script.tags))


# The campaign.


@dataclass
class Report:
    """What `cabinet sim campaign --json` prints, and what a campaign goes on from."""

    mix: str
    seed: int
    wanted: int
    visits: int = 0
    opened: int = 0
    steps: int = 0
    violations: list[dict[str, Any]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    killed_in: Counter[str] = field(default_factory=Counter)  # the machine's states in which the program ended
    seconds: float = 0.0
    peak_rss_mb: float = 0.0

    def add(self, ended: Ended) -> None:
        self.visits += 1
        self.opened += len(ended.accounts)
        self.steps += ended.steps
        self.kinds[ended.seed.kind] += 1
        self.outcomes.update(ended.outcomes)
        self.killed_in.update(ended.killed_in)
        if ended.seed.kind != "honest":
            self.faults.update(tag for tag in ended.script.tags if tag in people.FRAUDS or tag in people.MISFORTUNES)
        for violation in ended.violations[:3]:
            self.violations.append(
                {"seed": ended.seed.number, "invariant": violation.invariant, "step": violation.step,
                 "at_s": round(violation.at_s, 2), "what": violation.what}
            )  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        names = ("exact", "over", "under", "swap", "review", "wrong_review", "void", "refused", "open")
        return {
            "mix": self.mix, "seed": self.seed, "visits": self.visits, "opened": self.opened, "steps": self.steps,
            "violations": self.violations, "outcomes": {name: self.outcomes[name] for name in names},
            "faults": dict(sorted(self.faults.items())), "kinds": dict(self.kinds),
            "killed_in": dict(sorted(self.killed_in.items())), "seconds": round(self.seconds, 2),
            "peak_rss_mb": round(self.peak_rss_mb, 1), "wanted": self.wanted,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "Report":
        """KeyError, TypeError for something else than a report."""
        report = cls(str(value["mix"]), int(value["seed"]), int(value["wanted"]))
        for name in ("visits", "opened", "steps", "seconds", "peak_rss_mb", "violations"):
            setattr(report, name, value[name])
        for name in ("outcomes", "faults", "kinds", "killed_in"):
            setattr(report, name, Counter(value[name]))
        return report


def run(report: Report, settings: Settings | None = None, most_violations: int = 100) -> Iterator[Report]:
    """Go on with the report until it has the visits it wants; yields it after each visit."""
    mix: Mix = report.mix  # type: ignore[assignment]  # one of MIXES
    before_s, began_s = report.seconds, time.monotonic()
    gc.freeze()  # what is here stays; a visit leaves no cycles worth looking for every 700 objects
    gc.set_threshold(200_000, 20, 20)
    with Ground(settings) as ground:
        while report.visits < report.wanted and len(report.violations) < most_violations:
            report.add(ground.play(Seed.of(report.seed, report.visits, mix)))
            report.seconds = before_s + time.monotonic() - began_s
            if report.visits % 256 == 0 or report.visits == report.wanted:
                report.peak_rss_mb = max(report.peak_rss_mb, peak_rss_mb())
            yield report


def peak_rss_mb() -> float:
    import resource  # noqa: PLC0415  with its one use

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
