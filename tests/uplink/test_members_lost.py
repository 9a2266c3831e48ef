"""The fleet's list of members when something was lost on either side, or somebody was erased here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet import wire
from cabinet.ledger import Consent
from tests.uplink.fleet import OTHER, FleetWorld, add, card, change, live, member_id, remove
from tests.uplink.world import CAB, KEY, WALL_MS


@pytest.fixture
def world(tmp_path: Path) -> Iterator[FleetWorld]:
    world = FleetWorld(tmp_path)
    yield world
    world.close()


def test_a_cloud_put_back_from_a_copy_is_told_and_goes_on_above_the_cabinets_version(world: FleetWorld) -> None:
    live(world, 1)
    world.cloud_store.close()
    copy = (world.folder / "cloud.db").read_bytes()
    world.crash_cloud()
    add(world, 2, 3)
    world.settle()
    assert world.ledger.fleet_version() == 3
    world.cloud_store.close()
    for name in ("cloud.db-wal", "cloud.db-shm"):
        (world.folder / name).unlink(missing_ok=True)
    (world.folder / "cloud.db").write_bytes(copy)
    world.crash_cloud()
    world.settle()
    world.note()
    assert world.fleet.version() == 4
    assert world.here().keys() == {member_id(1)}
    assert "put back from a copy" in world.cloud_store.alarms()[0].what


def test_a_cabinet_far_ahead_of_the_books_moves_nothing(world: FleetWorld) -> None:
    live(world, 1)
    ask = {"version": 2**52, "hash": "0" * 64, "all": False, "nonce": "n"}
    world.now_ms += 5_000
    payload = wire.signed(KEY, CAB, "known", ask)
    world.cloud.heard(wire.topic(CAB, "up", "known"), payload, mono_ms=0, wall_ms=WALL_MS + world.now_ms)
    assert world.fleet.version() == 1
    assert [alarm.kind for alarm in world.cloud_store.alarms()] == ["roster"]


def test_a_cabinet_that_lost_its_list_gets_all_of_it(world: FleetWorld) -> None:
    live(world, 1, 2)
    world.ledger._file.connection.execute("DELETE FROM roster")
    world.settle()
    assert world.here().keys() == {member_id(1), member_id(2)}


def test_a_cabinet_that_lost_a_member_gets_them_again(world: FleetWorld) -> None:
    live(world, 1, 2)
    with world.ledger._file.writing() as db:
        db.execute("DELETE FROM member WHERE member = ?", [member_id(1)])
        db.execute("UPDATE roster SET kept = 'here'")  # a recovery deletes nothing, it only does not find them
    world.settle()
    assert world.here().keys() == {member_id(1), member_id(2)}


# Erased here.


def test_who_is_erased_at_a_cabinet_is_removed_at_the_cloud_and_does_not_come_back(world: FleetWorld) -> None:
    live(world, 1, 2)
    world.ledger.erase(member_id(1), world.stamp())
    assert world.ledger.member(member_id(1)) is None
    world.settle()
    world.note()
    assert world.fleet.member(member_id(1)) is None
    assert world.here().keys() == {member_id(2)}
    assert world.fleet.removed() == 1


def test_a_whole_list_that_was_under_way_does_not_bring_an_erased_member_back(world: FleetWorld) -> None:
    live(world, 1, 2)
    world.disconnect()
    whole = world.cloud._roster._answer(CAB, None, "")
    world.ledger.erase(member_id(1), world.stamp())
    for part in whole:
        world.hear("members", part)
    assert world.sender.counts["members"] >= 1
    assert world.ledger.member(member_id(1)) is None
    assert world.here().keys() == {member_id(1), member_id(2)}  # known to be on the list, and not here


def test_a_change_of_an_erased_member_that_was_under_way_does_not_bring_them_back(world: FleetWorld) -> None:
    live(world, 1, 2)
    world.disconnect()
    change(world, 1, verified=True)
    whole = world.cloud._roster._answer(CAB, None, "")
    world.ledger.erase(member_id(1), world.stamp())
    for part in whole:
        world.hear("members", part)
    assert world.ledger.fleet_version() == 3
    assert world.ledger.member(member_id(1)) is None
    world.settle()
    world.note()
    assert world.here().keys() == {member_id(2)}


def test_a_cabinet_erases_nobody_who_was_never_on_its_list(world: FleetWorld) -> None:
    live(world, 2)
    add(world, 1, cabs=[OTHER])
    world.ledger.add_member("Eve", Consent("1", 0, "en"), member=member_id(1))
    world.ledger.erase(member_id(1), world.stamp())
    world.settle()
    assert world.fleet.member(member_id(1)) is not None
    assert "never been on its list" in world.cloud_store.alarms()[0].what


def test_who_enrolled_here_is_never_changed_or_removed_by_the_list(world: FleetWorld) -> None:
    world.ledger.add_member("Ada", Consent("1", 0, "en"), member=member_id(1))
    world.ledger.set_digits(member_id(1), "1234")
    add(world, 1, digits="9999")
    world.settle()
    ada = world.ledger.member(member_id(1))
    assert ada is not None
    assert (ada.name, ada.source, world.ledger.digits()) == ("Ada", "cabinet", {member_id(1): "1234"})
    assert world.ledger.member_of_token(f"CAB1:{'A' * 26}") is None
    remove(world, 1)
    world.settle()
    assert world.ledger.member(member_id(1)) == ada
    assert world.ledger.fleet_rows() == {}


def test_a_card_that_changes_hands_belongs_to_the_new_one(world: FleetWorld) -> None:
    live(world, 1, 2)
    world.disconnect()
    change(world, 2, cards=[])
    change(world, 1, cards=[card(2)])
    world.settle()
    assert world.here().keys() == {member_id(1), member_id(2)}
