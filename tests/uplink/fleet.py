"""A cabinet that keeps the fleet's list of members, in the bad network of `world`; and all that the list has been."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from cabinet import wire
from cabinet.cloud.roster import FleetRoster
from cabinet.identity.entry import packed
from cabinet.rosterkeeper import RosterKeeper
from cabinet.units import MemberId
from cabinet.uplink.core import Sender
from tests.uplink.world import CAB, World

MODEL = "test-model"
OTHER = "cab-2"
MACHINE = "boot-1"
DAY_S = 86_400.0
AGREED = {"version": "3", "language": "en", "at_ms": 1_700_000_000_000}
SECRET = b"sixteen bytes !!"


def member_id(number: int) -> MemberId:
    return MemberId(f"01J{number:023d}")


def card(number: int, reprint: int = 0) -> str:
    """Of a printed code, its SHA-256."""
    return hashlib.sha256(b"card %d %d" % (number, reprint)).hexdigest()


def said(number: int, **more: Any) -> dict[str, Any]:
    return {"member": member_id(number), "consent": AGREED, "cards": [card(number)], **more}


def with_face(*numbers: float) -> dict[str, Any]:
    return {"share_face": AGREED, "templates": [{"model": MODEL, "vector": packed(numbers)}]}


@dataclass
class FleetWorld(World):
    changes: list[MemberId | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.history: dict[int, dict[MemberId, str]] = {0: {}}  # version → what this cabinet should have then
        self.contents: dict[str, dict[str, Any]] = {}  # fingerprint → entry
        self.hears: list[tuple[str, bytes]] = []  # what the cloud has said to this cabinet

    @property
    def fleet(self) -> FleetRoster:
        return FleetRoster(self.cloud_store.books)

    def _new_sender(self) -> Sender:
        sender = super()._new_sender()
        self.keeper = RosterKeeper(self.ledger, self.stamp, MACHINE, 7 * DAY_S, lambda: self.changes.append(None))
        sender.members.keeper = self.keeper
        return sender

    def note(self) -> None:
        """Write down what the cloud's list is now, and was at the versions on the way."""
        view = self.fleet.view(self.fleet.version())
        for version in range(max(self.history) + 1, view.version + 1):
            self.history[version] = self.fleet.view(version).of(CAB)
        for member, entry in self.fleet.entries(list(view.rows)).items():
            self.contents[view.rows[member][0]] = entry

    def fly(self, topic: str, payload: bytes) -> None:
        if "/dn/" in topic:
            self.hears.append((topic, payload))
        super().fly(topic, payload)

    def told(self) -> list[wire.Payload]:
        """Messages about members, as they left the cloud."""
        return [wire.parse(payload) for topic, payload in self.hears if topic == wire.topic(CAB, "dn", "members")]

    def settle(self) -> None:
        """Calm weather, until both have said all they have to say."""
        self.weather.loss = self.weather.double = 0.0
        self.weather.delay_ms = 0
        self.connect()
        self.run(1_300_000)

    def here(self) -> dict[MemberId, str]:
        """What stands at the cabinet, checked to be one version's, whole: list and members alike."""
        version, rows = self.ledger.fleet_version(), self.ledger.fleet_rows()
        assert rows == self.history[version], f"what is here is not what version {version} was"
        kept = {row["member"]: row["kept"] for row in self.ledger._file.rows("SELECT member, kept FROM roster")}
        wanted = {member: self.contents[found] for member, found in rows.items() if kept[member] == "here"}
        digits, faces = self.ledger.digits(), dict(self.ledger.templates(MODEL))
        cards = {row["member"]: row["sha256"] for row in self.ledger._file.rows("SELECT member, sha256 FROM token")}
        assert self.ledger.fleet_members() == wanted.keys()
        for member, entry in wanted.items():
            there = self.ledger.member(member)
            assert there is not None
            assert (there.verified, there.age or 0) == (entry["verified"], entry["age"])
            assert digits.get(member, "") == entry["digits"]
            assert [cards.get(member)] == (entry["cards"] or [None])
            found = faces.get(member)
            assert [packed(found) if found else None] == ([one["vector"] for one in entry["templates"]] or [None])
        return rows


def add(world: FleetWorld, *numbers: int, cabs: list[str] | None = None, **more: Any) -> None:
    for number in numbers:
        world.fleet.add(said(number, **more), cabs, "ann", 1)
        world.note()


def remove(world: FleetWorld, *numbers: int) -> None:
    for number in numbers:
        world.fleet.remove(member_id(number), "ann", 2)
        world.note()


def change(world: FleetWorld, number: int, **more: Any) -> None:
    world.fleet.change({"member": member_id(number), **more}, None, "ann", 2, keep=True)
    world.note()


def known(world: FleetWorld) -> list[wire.Payload]:
    return [wire.parse(payload) for _, kind, payload in world.said if kind == "known"]


def with_news(world: FleetWorld) -> list[wire.Payload]:
    return [said for said in world.told() if said["changes"]]


def live(world: FleetWorld, *numbers: int, **more: Any) -> None:
    """These are on the list, and the cabinet has it."""
    add(world, *numbers, **more)
    world.settle()
    world.said.clear()
    world.hears.clear()


def welcome(world: FleetWorld) -> wire.Payload:
    seq, h = world.ledger.head()
    return {"store": world.ledger.store, "hwm": seq, "h": h, "nonce": None, "cloud_ms": 0, "config_version": 0}
