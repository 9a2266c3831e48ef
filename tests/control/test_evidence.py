"""What a technician is handed as evidence: the trace with its manifest, and one page for the eyes."""

import asyncio
import base64
import io
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from cabinet import trace
from cabinet.basket.policy import TallyPolicy
from cabinet.control.blurring import Blurring
from cabinet.control.evidence import watched
from cabinet.control.requests import RequestError
from cabinet.tallier import work_out
from tests.control.room import GOOD, Room, photo
from tests.control.test_looking import shop
from tests.test_tallier import recorded


def ask(room: Room, operation: str, **arguments: Any) -> dict[str, Any]:
    return asyncio.run(room.ask(operation, **arguments))


def names(answer: dict[str, Any]) -> set[str]:
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(answer["tar_b64"]))) as tar:
        return {name.partition("/")[2] for name in tar.getnames()}


def test_an_export_has_the_manifest_and_the_page(room: Room) -> None:
    visit = shop(room, 1)
    folder = recorded(room.traces, 1, visit)
    work_out(folder, TallyPolicy(), complete=True)
    answer = ask(room, "visits.export", visit=visit)
    assert {"visit.json", "events.jsonl", "tally.json", "evidence.json", "page.png"} <= names(answer)
    assert (answer["page"], answer["page_why"]) == (True, "")
    assert not (folder / "page.png").exists()


def test_without_matplotlib_the_recording_is_handed_out_without_a_page(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = shop(room, 1)
    recorded(room.traces, 1, visit)
    monkeypatch.setitem(sys.modules, "cabinet.picture.layout", None)
    answer = ask(room, "visits.export", visit=visit)
    assert (answer["page"], answer["page_why"]) == (False, "matplotlib is not installed")
    assert "page.png" not in names(answer)


def test_a_damaged_recording_is_handed_out_all_the_same(room: Room) -> None:
    visit = shop(room, 1)
    (recorded(room.traces, 1, visit) / "visit.json").write_text("{")
    answer = ask(room, "visits.export", visit=visit)
    assert (answer["page"], "visit.json" in answer["page_why"]) == (False, True)
    assert "events.jsonl" in names(answer)


def with_stills(room: Room, number: int = 1) -> tuple[str, str]:
    """A visit with one still of noise, tallied: its id and its evidence's hash."""
    visit = shop(room, number)
    folder = recorded(room.traces, 1, visit)
    (folder / "frames" / "inside").mkdir(parents=True)
    (folder / "frames" / "inside" / "00000000.jpg").write_bytes(photo(GOOD))
    return visit, work_out(folder, TallyPolicy(), complete=True).evidence_hash


def faces_everywhere(_: Blurring, jpeg: bytes) -> tuple[bytes, int] | None:
    return jpeg + b"blurred", 1


@pytest.mark.parametrize("operation", ["visits.export", "visits.picture"])
def test_stills_with_a_face_are_blurred_in_what_is_handed_out(
    operation: str, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Blurring, "__call__", faces_everywhere)
    visit, _ = with_stills(room)
    answer = ask(room, operation, visit=visit)
    assert answer["withheld"] == {"blurred": 1}
    if "tar_b64" in answer:
        with tarfile.open(fileobj=io.BytesIO(base64.b64decode(answer["tar_b64"]))) as tar:
            still = tar.extractfile(f"{visit}/frames/inside/00000000.jpg")
            assert still is not None
            assert still.read() == photo(GOOD) + b"blurred"
    assert (room.traces / visit / "frames/inside/00000000.jpg").read_bytes() == photo(GOOD)


def test_an_exported_copy_verifies_against_the_charges_hash(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Blurring, "__call__", faces_everywhere)
    visit, hash_ = with_stills(room)
    (tmp_path / "copy.tar").write_bytes(base64.b64decode(ask(room, "visits.export", visit=visit)["tar_b64"]))
    found = trace.verify(tmp_path / "copy.tar", hash_)
    assert found.same
    assert (found.withheld, found.signed_by) == ({"blurred": 1}, room.ledger.vault.public_key().hex())


def test_the_recording_itself_is_verified_where_it_is(room: Room) -> None:
    visit, hash_ = with_stills(room)
    told = ask(room, "visits.verify", visit=visit, hash=hash_)
    assert (told["same"], told["frames"], told["withheld"]) == (True, 1, {})
    (room.traces / visit / "frames/inside/00000000.jpg").write_bytes(photo(GOOD + 9))
    told = ask(room, "visits.verify", visit=visit, hash=hash_)
    assert (told["same"], told["findings"][0]["where"]) == (False, "frames/inside/00000000.jpg")


def test_a_visit_that_binds_nothing_has_nothing_to_verify(room: Room) -> None:
    visit = shop(room, 1)
    recorded(room.traces, 1, visit)
    with pytest.raises(RequestError, match="binds no evidence"):
        ask(room, "visits.verify", visit=visit)


@pytest.mark.parametrize("operation", ["visits.export", "visits.picture", "visits.verify"])
def test_whoever_looks_is_written_down_with_why(operation: str, room: Room) -> None:
    visit, hash_ = with_stills(room)
    asyncio.run(room.ask(operation, "tina", visit=visit, hash=hash_, why="a complaint"))
    asyncio.run(room.ask(operation, "tom", visit=visit, hash=hash_))
    told = ask(room, "visits.accesses", visit=visit)["accesses"]
    assert [(one["who"], one["what"], one["visit"], one["why"]) for one in told] == [
        ("tom", operation, visit, "not said"),
        ("tina", operation, visit, "a complaint"),
    ]


@pytest.mark.parametrize("why", [7, "x" * 201, ["a"]])
def test_a_why_that_is_none_is_refused_before_anything_is_handed_out(why: object, room: Room) -> None:
    visit, _ = with_stills(room)
    with pytest.raises(RequestError, match="why is no short text"):
        ask(room, "visits.export", visit=visit, why=why)
    assert room.ledger.accesses() == []


def test_a_recording_that_is_gone_was_not_looked_at(room: Room) -> None:
    visit = shop(room, 1)
    with pytest.raises(RequestError, match="no longer kept"):
        ask(room, "visits.export", visit=visit)
    assert room.ledger.accesses() == []


def test_a_live_picture_is_written_down_and_other_operations_are_not(room: Room) -> None:
    async def answered(_: Any, __: str) -> dict[str, Any]:
        return {"png_b64": ""}

    operations = watched({"camera.snapshot": answered, "camera.list": answered}, room.ledger)
    for name, one in operations.items():
        asyncio.run(one({"camera": "front", "why": "the lens"}, f"tina at {name}"))  # type: ignore[arg-type]  # awaitable
    assert [(one.who, one.what, one.visit, one.why) for one in room.ledger.accesses()] == [
        ("tina at camera.snapshot", "camera.snapshot", None, "front: the lens")
    ]


def test_a_visit_is_shown_with_the_place_of_its_evidence(room: Room) -> None:
    visit = shop(room, 1)
    assert ask(room, "visits.show", visit=visit)["evidence"]["kept"] is False
    folder = recorded(room.traces, 1, visit)
    assert ask(room, "visits.show", visit=visit)["evidence"] == {"path": str(folder), "kept": True, "hash": ""}
