"""The demonstration itself: sets the bench up, lives four visits and a restock, judges each, leaves a folder behind.

The member comes by face, by what a phone has signed, and is forgotten at the end.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from cabinet.cli.demo import goods, people
from cabinet.cli.demo.farewell import erase
from cabinet.cli.demo.goods import Product
from cabinet.cli.demo.keepsake import keep_visit
from cabinet.cli.demo.listener import Listener
from cabinet.cli.demo.narration import Narration
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.phone import phone_of
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.settling import agree, give_card, settled, told_of
from cabinet.cli.demo.shop import FORGED, RECOGNISED_S, Member, Shop, basket
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from cabinet.cli.demo.watcher import Watcher
from cabinet.cloud.run import charges
from cabinet.sim import pictures

PRODUCTS: Mapping[str, Product] = {product.sku: product for product in (*goods.REAL, *goods.DRAWN)}


UNHURRIED_S = 1.2  # between two things a person does: the pictures of the visits show them apart
QUIET_S = 2.5  # before somebody comes: a trace begins with the cells at rest


@dataclass
class Stage:
    """Everything a visit needs."""

    shop: Shop
    say: Narration
    data: Path | None
    out: Path
    failures: list[str] = field(default_factory=list)

    def pause(self, seconds: float) -> None:
        """Time passes on the real clock, which cells and cameras live by."""
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: False, seconds, "")

    def check(self, claim: str, *, holds: bool) -> None:
        if holds:
            self.say.good(claim)
        else:
            self.say.bad(claim)
            self.failures.append(claim)


def run_demo(out: Path = Path("demo-out"), *, seed: int = 1, keep: bool = False, quick: bool = False) -> int:
    """Exit code: 0 if every visit ended as it should, 1 otherwise.

    `quick` draws no pictures of the visits; `keep` leaves the processes' logs and databases behind.
    """
    console = Console(highlight=False, width=None if Console().is_terminal else 110)
    say = Narration(console)
    data = goods.photographs()
    console.print("[bold]smart cabinet[/]: broker, cloud, board, cameras and daemon, each a process of its own")
    console.print(f"[dim]{'real photographs' if data else 'drawn pictures (no folder of photographs here)'}[/]")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    folder = Path(tempfile.mkdtemp(prefix="cabinet-"))
    try:
        with contextlib.ExitStack() as open_things:
            stage = _set(folder, say, data, out, seed, open_things)
            _live(stage, quick=quick)
    except (TimeoutError, RuntimeError, OSError) as error:
        say.bad(str(error))
        console.print(f"[red]The demonstration broke off; the processes' logs are in {folder}[/]")
        return 1
    if keep:
        console.print(f"[dim]logs and databases: {folder}[/]")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    console.print()
    if stage.failures:
        console.print(f"[bold red]{len(stage.failures)} things went wrong:[/] " + "; ".join(stage.failures))
        return 1
    console.print(f"[bold green]All four visits ended as they should.[/] Traces, pictures and receipts: {out}/")
    return 0


def _set(
    folder: Path, say: Narration, data: Path | None, out: Path, seed: int, open_things: contextlib.ExitStack
) -> Stage:
    first = {"front": pictures.jpeg(pictures.lobby(seed)), "top": goods.drawn(goods.DRAWN_SHELVES, seed)}
    options = ["--seed", str(seed)]
    bench = Bench(folder, interior=goods.interior(), board_options=options, pictures=first, provider=True)
    open_things.enter_context(bench)
    stage = Stage(Shop(bench, seed), say, data, out)
    listener = Listener(bench.broker.host, bench.broker.port, say.broker)
    listener.start()
    open_things.callback(listener.stop)
    watcher = Watcher(bench.socket, say.machine)
    watcher.start()
    open_things.callback(watcher.stop)
    say.names.update({sku: product.name for sku, product in PRODUCTS.items()})
    return stage


def _live(stage: Stage, *, quick: bool) -> None:
    say, shop, data = stage.say, stage.shop, stage.data
    say.chapter("Opening the shop")
    member, stranger = people.from_photographs(data) if data else people.from_packages()
    if data is None:
        shop.stock_drawn()
    else:
        shop.stock_photographed(data)
    say.note("four products on the shelves, each known by a reference picture or two")
    who = shop.enrol(member)
    say.note(f"{who.name} is a member, with {'a face and a code' if who.face is not None else 'a code'}")
    give_card(shop.bench, who)
    say.note("and has a card with the payment provider (a sandbox: no money moves)")
    shop.bench.wait_for_state("Idle")
    say.masses(shop.bench.status()["zones"])

    say.chapter("1. Takes two items")
    visits = [_two_photographed(stage, who, data) if data else _two_drawn(stage, who)]
    if data is not None:
        say.chapter("A technician changes the goods")
        _restock(stage)
    say.chapter("2. Takes one item and puts it back")
    visits.append(_put_back(stage, who))
    say.chapter("3. Takes one item while the broker is down")
    visits.append(_offline(stage, who))
    say.chapter("4. A stranger")
    _stranger(stage, stranger)

    say.chapter("What is left of it")
    billed = [(charge.visit, charge.total_minor) for charge in charges(shop.bench.cloud_db)]
    expected = [(visit["visit"], visit["total_minor"]) for visit in visits if visit["outcome"] == "charge"]
    stage.check(
        f"the cloud has each charge once, in order: {[amount for _, amount in billed]}", holds=billed == expected
    )
    for visit in visits:
        stage.check(f"the provider has {told_of(visit)}", holds=settled(shop.bench, visit))
    stage.check("audit: nothing lost, doubled, changed or forged between the three books", holds=agree(shop.bench))
    for number, visit in enumerate(visits, start=1):
        keep_visit(shop.bench, visit["visit"], stage.out / f"visit-{number}", picture=not quick)
        say.note(f"visit {number}: {stage.out / f'visit-{number}'}")
    _forget(stage, who)


def _come(stage: Stage, who: Member, signed: pictures.Picture | None = None) -> str:
    """By face, where the member has enrolled one; by what a phone has signed; else by the card."""
    stage.pause(QUIET_S)
    shown, doing = who.code, "shows a code"
    if signed is not None:
        shown, doing = signed, "shows the camera what the phone has signed: this cabinet, this number, this member"
    elif who.face is not None:
        shown, doing = who.face, "looks at the camera"
    stage.say.shopper(f"{who.name} {doing}")
    visit = stage.shop.open_as(shown)
    stage.say.shopper("pulls the door: it opens")
    stage.pause(UNHURRIED_S)
    return visit


def _take(stage: Stage, zone: str, sku: str) -> int:
    stage.say.shopper(f"takes {PRODUCTS[sku].name} from {zone}")
    place = stage.shop.take(zone, sku)
    stage.say.masses(stage.shop.bench.status()["zones"])
    stage.pause(UNHURRIED_S)
    return place


def _two_drawn(stage: Stage, who: Member) -> dict[str, Any]:
    wanted = [("s1", "5000000000011"), ("s2", "5000000000035")]
    visit = _come(stage, who)
    for zone, sku in wanted:
        _take(stage, zone, sku)
    return _leave(stage, visit, {sku: 1 for _, sku in wanted}, by=_way(who))


def _two_photographed(stage: Stage, who: Member, data: Path) -> dict[str, Any]:
    """The real cabinet goes from state 1 to state 2: one Gatorade and one Pringles leave."""
    wanted = [("s1", "0052000338775"), ("s2", "0038000845512")]
    visit = _come(stage, who)
    for zone, sku in wanted:
        stage.say.shopper(f"takes {PRODUCTS[sku].name} from {zone}")
        stage.shop.lift(zone, sku)
        stage.shop.feel(zone)
        stage.say.masses(stage.shop.bench.status()["zones"])
        stage.pause(UNHURRIED_S)
    stage.shop.show("top", goods.photographed(data, 2))
    return _leave(stage, visit, {sku: 1 for _, sku in wanted}, by=_way(who))


def _restock(stage: Stage) -> None:
    """A service visit: unlocked by the technician over the control socket, charged to nobody."""
    shop = stage.shop
    visit = shop.bench.ask("unlock", purpose="restock", reason="change of goods")["visit"]
    stage.check("the technician's unlock opens the door", holds=shop.pull())
    shop.bench.wait_for_state("Servicing")
    for product in goods.REAL:
        for zone in shop.bench.zones:
            shop.bench.ask("stock.set", zone=zone, sku=product.sku, count=0)
    shop.stock_drawn()
    for zone in shop.bench.zones:
        shop.feel(zone)
    shown = shop.shut(visit)
    stage.check("the restock charged nobody", holds=shown["visit"]["outcome"] == "serviced")
    shop.bench.wait_for_state("Idle")


def _put_back(stage: Stage, who: Member) -> dict[str, Any]:
    stage.say.shopper(f"{who.name}'s phone reads the number on the screen")
    visit = _come(stage, who, phone_of(stage.shop.bench, who).shows())
    place = _take(stage, "s2", "5000000000028")
    stage.say.shopper("reads the label and puts it back")
    stage.shop.put_back("s2", "5000000000028", place)
    stage.pause(UNHURRIED_S)
    return _leave(stage, visit, {}, by="token")


def _offline(stage: Stage, who: Member) -> dict[str, Any]:
    bench = stage.shop.bench
    stage.say.note("the broker is stopped")
    bench.broker.stop()
    visit = _come(stage, who)
    _take(stage, "s1", "5000000000042")
    judged = _leave(stage, visit, {"5000000000042": 1}, by=_way(who))
    waiting = bench.ask("outbox")["count"]
    stage.check(f"the charge waits on the cabinet ({waiting} rows)", holds=waiting > 0)
    stage.say.note("the broker is started again")
    bench.broker.start()
    wait_until(lambda: bool(bench.ask("outbox")["count"] == 0), PATIENCE_S, "the charge did not reach the cloud")
    stage.check("the charge has reached the cloud", holds=True)
    return judged


def _stranger(stage: Stage, stranger: Person) -> None:
    shop, seen = stage.shop, stranger.seen_as
    how = "shows a made-up code" if seen is None else "looks at the camera"
    stage.say.shopper(f"somebody who is no member {how}")
    before = len(shop.bench.ask("visits.list", limit=100)["visits"])
    shop.somebody(people.code_picture(FORGED) if seen is None else seen)
    shop.bench.wait_for_state("Authenticating", within_s=RECOGNISED_S)
    shop.bench.wait_for_state("Idle", within_s=RECOGNISED_S)
    stage.check("the door stays locked", holds=not shop.world.pull())
    after = len(shop.bench.ask("visits.list", limit=100)["visits"])
    stage.check("no visit was opened", holds=after == before)
    shop.nobody()


def _forget(stage: Stage, who: Member) -> None:
    stage.say.shopper(f"{who.name} wants to be forgotten")
    gone = erase(stage.shop.bench, who, stage.out / "erased.json")
    stage.check(f"the receipt of the erasure is signed and right: {gone.told}", holds=gone.verified)
    nothing = f"nothing of {who.name} is left in the data directory"
    stage.check(f"{nothing} ({gone.before} pieces stood there)", holds=gone.before > 0 and not gone.left)


def _way(who: Member) -> str:
    return "card" if who.face is None else "face"


def _leave(stage: Stage, visit: str, wanted: Mapping[str, int], *, by: str) -> dict[str, Any]:
    """Shut the door, read the receipt, judge the bill and the way in."""
    stage.say.shopper("shuts the door and walks away")
    shown = stage.shop.shut(visit)
    record: dict[str, Any] = shown["visit"]
    stage.say.receipt(shown["receipt"])
    names = ", ".join(f"{count} × {PRODUCTS[sku].name}" for sku, count in wanted.items()) or "nothing"
    outcome = "charge" if wanted else "nothing"
    right = record["outcome"] == outcome and basket(shown) == wanted
    stage.check(f"the bill is {names}", holds=right)
    if not right:
        stage.say.note(f"it is {record['outcome']}, {basket(shown)}, {record['why']}")
    stage.check(f"the door was opened by {by}", holds=record["who"] == by)
    stage.shop.bench.wait_for_state("Idle")
    return record
