"""Asks, terms and rosters on virtual time: whom it asks, and what it does not believe."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cabinet import wire
from cabinet.identity.credit import Answer, Roster
from cabinet.units import MemberId
from cabinet.uplink.core import Message
from cabinet.uplink.credit import MAX_IN_PART, MAX_PARTS
from tests.uplink.test_core import welcome
from tests.uplink.world import CAB, KEY, World

ASK: wire.Payload = {"visit": "v1", "member": "01ANNA", "currency": "USD", "hold_minor": 2_000, "nonce": "0a" * 8}
TERMS: wire.Payload = {"visit": "v1", "nonce": "0a" * 8, "granted": True, "hold_minor": 2_000, "why": ""}


@dataclass
class Told:
    terms: list[Answer] = field(default_factory=list)
    rosters: list[Roster] = field(default_factory=list)

    def roster(self, roster: Roster) -> bool:
        older = bool(self.rosters) and roster.version < self.rosters[-1].version
        if not older:
            self.rosters.append(roster)
        return not older


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


@pytest.fixture
def told(world: World) -> Told:
    told = Told()
    world.sender._told_terms, world.sender._told_roster = told.terms.append, told.roster
    return told


def with_a_desk(world: World, **more: Any) -> None:
    world.sender.connected(world.stamp())
    world.hear("welcome", {**welcome(world), "terms": True, **more})


def test_an_ask_is_signed_as_an_ask(world: World) -> None:
    with_a_desk(world)
    message = world.sender.ask(ASK)
    assert message is not None
    said = wire.parse(message.payload)
    assert message.kind == "ask"
    assert wire.authentic(KEY, CAB, "ask", said)
    assert {name: value for name, value in said.items() if name != "sig"} == ASK


@pytest.mark.parametrize("flag", [False, None, 1, "true"], ids=repr)
def test_a_cloud_that_did_not_say_that_it_answers_is_not_asked(world: World, flag: object) -> None:
    with_a_desk(world, terms=flag)
    assert world.sender.ask(ASK) is None
    world.hear("welcome", welcome(world))
    assert world.sender.ask(ASK) is None


def test_nobody_is_asked_before_the_welcome_or_after_the_end(world: World) -> None:
    assert world.sender.ask(ASK) is None
    world.sender.connected(world.stamp())
    assert world.sender.ask(ASK) is None
    with_a_desk(world)
    assert world.sender.ask(ASK) is not None
    world.sender.disconnected()
    assert world.sender.ask(ASK) is None


def test_terms_are_passed_on(world: World, told: Told) -> None:
    world.hear("terms", TERMS)
    world.hear("terms", {**TERMS, "granted": False, "hold_minor": 0, "why": "unpaid"})
    assert [(one.granted, one.hold_minor, one.why) for one in told.terms] == [(True, 2_000, ""), (False, 0, "unpaid")]


@pytest.mark.parametrize("kind", ["terms", "roster"])
def test_forged_terms_and_rosters_are_counted_and_change_nothing(world: World, told: Told, kind: str) -> None:
    said = TERMS if kind == "terms" else part(1, 1, 1)
    forgeries: list[tuple[str, bytes]] = [
        ("another key", wire.signed(b"x" * 32, CAB, kind, said)),
        ("another cabinet", wire.signed(KEY, "cab-2", kind, said)),
        ("signed as an ack", wire.signed(KEY, CAB, "ack", said)),
        ("not signed", wire.canonical(said)),
    ]
    for _, payload in forgeries:
        assert world.sender.heard(wire.topic(CAB, "dn", kind), payload, world.stamp()) == []
    assert (told.terms, told.rosters, world.sender.counts["forged"]) == ([], [], len(forgeries))


@pytest.mark.parametrize(
    "wrong",
    [
        {"granted": 1},
        {"granted": None},
        {"hold_minor": -1},
        {"hold_minor": "2000"},
        {"why": None},
        {"why": "x" * 33},
        {"visit": 5},
        {"nonce": None},
        {"nonce": "x" * 65},
    ],
    ids=str,
)
def test_terms_of_another_shape_are_garbage(world: World, told: Told, wrong: wire.Payload) -> None:
    world.hear("terms", {**TERMS, **wrong})
    assert (told.terms, world.sender.counts["garbage"]) == ([], 1)


# Rosters.


def part(version: int, number: int, of: int, *members: str) -> wire.Payload:
    rows = [{"member": member, "why": "unpaid"} for member in members]
    return {"version": version, "part": number, "parts": of, "blocked": rows}


def hear(world: World, *parts: wire.Payload) -> list[Message]:
    return [message for one in parts for message in world.hear("roster", one)]


def members(told: Told) -> list[tuple[int, set[str]]]:
    return [(roster.version, set(roster.blocked)) for roster in told.rosters]


def test_a_roster_of_one_part_is_passed_on(world: World, told: Told) -> None:
    hear(world, part(1, 1, 1, "ann", "ben"))
    assert told.rosters == [Roster(1, {MemberId("ann"): "unpaid", MemberId("ben"): "unpaid"})]


def test_an_empty_roster_is_one(world: World, told: Told) -> None:
    hear(world, part(1, 1, 1))
    assert members(told) == [(1, set())]


def test_parts_come_in_any_order_and_twice(world: World, told: Told) -> None:
    hear(world, part(1, 3, 3, "eve"), part(1, 1, 3, "ann"), part(1, 3, 3, "eve"))
    assert told.rosters == []
    hear(world, part(1, 2, 3, "ben"))
    assert members(told) == [(1, {"ann", "ben", "eve"})]


def test_a_part_of_an_older_version_completes_nothing(world: World, told: Told) -> None:
    hear(world, part(2, 1, 2, "ann"), part(1, 2, 2, "old"))
    assert (told.rosters, world.sender.counts["old roster"]) == ([], 1)
    hear(world, part(2, 2, 2, "ben"))
    assert members(told) == [(2, {"ann", "ben"})]


def test_a_newer_version_begins_anew(world: World, told: Told) -> None:
    hear(world, part(1, 1, 2, "old"), part(2, 2, 2, "ben"), part(2, 1, 2, "ann"))
    assert members(told) == [(2, {"ann", "ben"})]


def test_the_same_version_said_again_is_passed_on_again(world: World, told: Told) -> None:
    for _ in range(2):
        hear(world, part(1, 1, 2, "ann"), part(1, 2, 2, "ben"))
    assert members(told) == [(1, {"ann", "ben"})] * 2
    assert world.sender.counts["rosters"] == 2


def test_a_roster_older_than_the_kept_one_is_counted_and_dropped(world: World, told: Told) -> None:
    told.rosters.append(Roster(5, {}))  # from before a restart
    hear(world, part(4, 1, 1, "ann"))
    assert (members(told), world.sender.counts["old roster"]) == ([(5, set())], 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": -1},
        {"version": "1"},
        {"part": 0},
        {"part": 3},
        {"parts": 0},
        {"parts": MAX_PARTS + 1},
        {"blocked": None},
        {"blocked": ["ann"]},
        {"blocked": [{"member": "ann"}]},
        {"blocked": [{"member": 5, "why": "unpaid"}]},
        {"blocked": [{"member": "ann", "why": "unpaid"}] * (MAX_IN_PART + 1)},
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_a_roster_of_another_shape_is_garbage_and_spoils_nothing(world: World, told: Told, wrong: wire.Payload) -> None:
    hear(world, part(1, 1, 2, "ann"), {**part(1, 2, 2, "ben"), **wrong}, part(1, 2, 2, "eve"))
    assert (members(told), world.sender.counts["garbage"]) == ([(1, {"ann", "eve"})], 1)


def test_the_largest_part_fits_into_a_payload() -> None:
    full = part(wire.SAFE_INTEGER, MAX_PARTS, MAX_PARTS, *(f"{n:026d}" for n in range(MAX_IN_PART)))
    assert len(wire.signed(KEY, CAB, "roster", full)) < wire.MAX_PAYLOAD_BYTES
