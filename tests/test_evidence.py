"""What a bill was made from stays as it was, or is named: every kind of tampering, and the hash in the ledger."""

import asyncio
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cabinet import clock, trace
from cabinet.basket.evidence import BARRIER, Mass, State
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.verdict import Charge
from cabinet.ledger import ClosedVisit, Ledger, OpenedVisit
from cabinet.session.events import Event
from cabinet.session.states import Idle, Unlocked
from cabinet.tallier import Tallier, policy_version, work_out
from cabinet.trace import Verified
from cabinet.units import CameraId, MemberId, VisitId
from tests.basket.visits import COLA, NUTS, Scene

V = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
BARRIER_T = 9.0
TOP, ANN = CameraId("top"), MemberId("01JANN")


def recorded(folder: Path) -> Path:
    """A cola and a bag of nuts, three stills; one mass and one still come behind the barrier."""
    scene = Scene()
    scene.take(3, "s1", COLA)
    scene.take(4.5, "s2", NUTS)
    visit = scene.visit(7)
    recorder = trace.Recorder.create(folder, scene.header)
    for event in visit.events:
        recorder.write(event)
    recorder.write(State(BARRIER_T, BARRIER))
    for t in (-0.1, 3.4, 7.3):
        recorder.frame(TOP, t, b"jpeg of " + str(t).encode())
    recorder.finish()
    return folder


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = recorded(tmp_path_factory.mktemp("traces") / V)
    return folder, work_out(folder, TallyPolicy(), complete=True).evidence_hash


@pytest.fixture
def judged(pristine: tuple[Path, str], tmp_path: Path) -> tuple[Path, str]:
    shutil.copytree(pristine[0], tmp_path / V)
    return tmp_path / V, pristine[1]


def told(found: Verified) -> set[tuple[str, str]]:
    return {(finding.where, finding.what) for finding in found.findings}


def lines(folder: Path) -> list[bytes]:
    return (folder / "events.jsonl").read_bytes().splitlines(keepends=True)


def rewrite(folder: Path, changed: list[bytes]) -> None:
    (folder / "events.jsonl").write_bytes(b"".join(changed))


def test_untouched_evidence_is_unchanged_as_a_folder_and_as_a_tar(judged: tuple[Path, str], tmp_path: Path) -> None:
    folder, hash_ = judged
    trace.export(folder, tmp_path / "visit.tar", {"page.png": folder / "visit.json"})
    for path in (folder, tmp_path / "visit.tar"):
        found = trace.verify(path, hash_)
        assert (found.same, found.hash, found.frames) == (True, hash_, 3)
        assert found.lines_behind > 0


def test_a_manifest_says_what_it_binds_and_which_software_judged(judged: tuple[Path, str]) -> None:
    manifest = json.loads((judged[0] / "evidence.json").read_text())
    assert (manifest["format"], manifest["policy"]) == ("cabinet-evidence/1", policy_version(TallyPolicy()))
    assert sorted(manifest["frames"]) == ["top/-00000100.jpg", "top/00003400.jpg", "top/00007300.jpg"]
    assert json.loads((judged[0] / "tally.json").read_text())["evidence"] == judged[1]


def test_judging_again_gives_the_same_manifest(judged: tuple[Path, str]) -> None:
    folder, hash_ = judged
    before = (folder / "evidence.json").read_bytes()
    assert work_out(folder, TallyPolicy(), complete=True).evidence_hash == hash_
    assert (folder / "evidence.json").read_bytes() == before


def test_finishing_the_trace_after_the_tally_changes_nothing_that_is_bound(tmp_path: Path) -> None:
    """The recorder goes on for two seconds and then sorts the lines: the bill is made before."""
    scene = Scene()
    scene.take(3, "s1", COLA)
    recorder = trace.Recorder.create(tmp_path / V, scene.header)
    events = scene.visit(7).events
    for event in sorted(events, key=lambda e: (not isinstance(e, Mass), e.t)):  # out of step
        recorder.write(event)
    recorder.write(State(BARRIER_T, BARRIER))
    hash_ = work_out(tmp_path / V, TallyPolicy(), complete=True).evidence_hash
    recorder.write(State(BARRIER_T + 1, "idle"))
    recorder.frame(TOP, BARRIER_T + 1.5, b"late")
    recorder.finish()
    found = trace.verify(tmp_path / V, hash_)
    assert (told(found), found.frames_behind) == (set(), 1)


def test_another_policy_or_another_still_gives_another_hash(judged: tuple[Path, str]) -> None:
    folder, hash_ = judged
    assert work_out(folder, TallyPolicy(beam=7), complete=True).evidence_hash != hash_
    next(folder.glob("frames/top/*.jpg")).write_bytes(b"another")
    assert work_out(folder, TallyPolicy(), complete=True).evidence_hash != hash_


def change_line(folder: Path) -> set[tuple[str, str]]:
    changed = lines(folder)
    event = json.loads(changed[4])
    event["g"][0] = 1.0
    rewrite(folder, [*changed[:4], json.dumps(event).encode() + b"\n", *changed[5:]])
    return {("events.jsonl line 5", "changed")}


def remove_line(folder: Path) -> set[tuple[str, str]]:
    changed = lines(folder)
    rewrite(folder, [*changed[:6], *changed[7:]])
    return {("events.jsonl", "missing")}


def add_line(folder: Path) -> set[tuple[str, str]]:
    changed = lines(folder)
    at = next(i for i, line in enumerate(changed) if json.loads(line)["t"] > 2)
    added = b'{"t": 2.0, "type": "door", "open": false}\n'
    rewrite(folder, [*changed[:at], added, *changed[at:]])
    return {(f"events.jsonl line {at + 1}", "added")}


def spoil_line(folder: Path) -> set[tuple[str, str]]:
    changed = lines(folder)
    rewrite(folder, [*changed[:8], b'{"t": 1.2, "ty\n', *changed[9:]])
    return {("events.jsonl line 9", "unreadable")}


def change_header(folder: Path) -> set[tuple[str, str]]:
    header = json.loads((folder / "visit.json").read_text())
    header["catalog"][COLA]["unit_price"] = 1
    (folder / "visit.json").write_text(json.dumps(header))
    return {("visit.json", "changed")}


def change_frame(folder: Path) -> set[tuple[str, str]]:
    (folder / "frames/top/00003400.jpg").write_bytes(b"painted over")
    return {("frames/top/00003400.jpg", "changed")}


def remove_frame(folder: Path) -> set[tuple[str, str]]:
    (folder / "frames/top/00003400.jpg").unlink()
    return {("frames/top/00003400.jpg", "missing")}


def add_frame(folder: Path) -> set[tuple[str, str]]:
    (folder / "frames/top/00002000.jpg").write_bytes(b"of another day")
    return {("frames/top/00002000.jpg", "added")}


def change_tally(folder: Path) -> set[tuple[str, str]]:
    tally = json.loads((folder / "tally.json").read_text())
    tally["total"] += 1
    (folder / "tally.json").write_text(json.dumps(tally))
    return {("tally.json", "changed")}


def remove_tally(folder: Path) -> set[tuple[str, str]]:
    (folder / "tally.json").unlink()
    return {("tally.json", "missing")}


def remove_manifest(folder: Path) -> set[tuple[str, str]]:
    (folder / "evidence.json").unlink()
    return {("evidence.json", "missing")}


def forge_everything(folder: Path) -> set[tuple[str, str]]:
    """Whoever changes the trace can judge it anew: only the ledger's hash tells."""
    change_header(folder)
    work_out(folder, TallyPolicy(), complete=True)
    return {("evidence.json", "changed")}


@pytest.mark.parametrize(
    "tamper",
    [
        change_line, remove_line, add_line, spoil_line, change_header, change_frame, remove_frame, add_frame,
        change_tally, remove_tally, remove_manifest, forge_everything,
    ],
)  # fmt: skip  # a list
def test_every_kind_of_tampering_is_named_and_nothing_else(
    tamper: Callable[[Path], set[tuple[str, str]]], judged: tuple[Path, str]
) -> None:
    folder, hash_ = judged
    expected = tamper(folder)
    assert told(trace.verify(folder, hash_)) == expected


def test_what_a_shadow_says_beside_the_verdict_is_not_bound(judged: tuple[Path, str]) -> None:
    folder, hash_ = judged
    tally = json.loads((folder / "tally.json").read_text())
    (folder / "tally.json").write_text(json.dumps({**tally, "shadow": {"other": "opinion"}}))
    assert trace.verify(folder, hash_).same


def test_a_folder_without_any_file_is_no_trace(tmp_path: Path) -> None:
    with pytest.raises(trace.TraceError, match="no trace"):
        trace.verify(tmp_path)


def test_the_hash_in_the_ledger_is_the_manifests(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "traces" / V)
    posted: list[Event] = []
    tallier = Tallier(tmp_path / "traces", TallyPolicy(), posted.append)
    asyncio.run(tallier._tally(V, complete=True))
    tallied = tallier.result(V)
    assert tallied is not None
    assert isinstance(tallied.verdict, Charge)
    with Ledger(tmp_path / "ledger.db") as ledger:
        opened = OpenedVisit(V, ANN, "shop", "face", "", 1, {}, V)
        ledger.commit(Unlocked(V, ANN, 9.0), [opened], clock.stamp())
        charge = tallied.verdict
        closed = ClosedVisit(
            V, "charge", lines=charge.lines, total_minor=charge.total, currency="USD", confidence=charge.confidence,
            evidence_hash=tallied.evidence_hash,
        )  # fmt: skip  # a row
        ledger.commit(Idle(), [closed], clock.stamp())
        record = ledger.visit(V)
    assert record is not None
    assert trace.manifest_hash(json.loads((folder / "evidence.json").read_text())) == record.evidence_hash
    assert trace.verify(folder, record.evidence_hash).same


def test_every_still_is_on_disk_for_good_before_the_manifest_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = recorded(tmp_path / V)
    synced: list[str] = []
    real = os.fsync

    def watched(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        real(handle)

    monkeypatch.setattr(os, "fsync", watched)
    work_out(folder, TallyPolicy(), complete=True)
    manifest = synced.index("evidence.json.partial")
    assert {still.name for still in folder.glob("frames/*/*.jpg")} <= set(synced[:manifest])
    assert "top" in synced[:manifest]


def test_a_trace_that_has_begun_has_its_name_on_disk_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(Path(f"/proc/self/fd/{handle}").readlink()))
    trace.Recorder.create(tmp_path / V, Scene().header).finish()
    assert {tmp_path, tmp_path / V} <= set(synced)
