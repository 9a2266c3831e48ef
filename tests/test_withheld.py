"""A copy of a recording for others: what is kept back of its stills is named, signed, and explained when verified."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cabinet import trace
from cabinet.basket.policy import TallyPolicy
from cabinet.ledger.vault import Vault
from cabinet.tallier import work_out
from cabinet.trace.withheld import NAME, Withheld, read
from tests.test_tallier import recorded

FACE, PLAIN, TORN = b"a face", b"a shelf", b"torn"
STILLS = {"inside/00000000.jpg": FACE, "inside/00001000.jpg": PLAIN, "top/00001000.jpg": TORN}


def blur(jpeg: bytes) -> tuple[bytes, int] | None:
    return {FACE: (b"a blur", 2), PLAIN: (PLAIN, 0)}.get(jpeg)


@pytest.fixture
def judged(tmp_path: Path) -> tuple[Path, str]:
    folder = recorded(tmp_path / "traces", 1)
    for name, content in STILLS.items():
        (folder / "frames" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "frames" / name).write_bytes(content)
    (folder / "clips").mkdir()
    (folder / "clips" / "top.mkv").write_bytes(b"a film")
    return folder, work_out(folder, TallyPolicy(), complete=True).evidence_hash


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    (tmp_path / "keys").mkdir()
    return Vault(tmp_path / "keys")


@pytest.fixture
def copy(tmp_path: Path, judged: tuple[Path, str], vault: Vault) -> Path:
    made = tmp_path / "copies" / judged[0].name
    made.mkdir(parents=True)
    trace.shown_copy(judged[0], made, blur, vault.sign)
    return made


def test_a_face_is_blurred_a_shelf_is_not_and_what_cannot_be_looked_at_stays_behind(copy: Path) -> None:
    stills = {f"{file.parent.name}/{file.name}": file.read_bytes() for file in copy.glob("frames/*/*.jpg")}
    assert stills == {"inside/00000000.jpg": b"a blur", "inside/00001000.jpg": PLAIN}
    assert not (copy / "clips").exists()


def test_the_recording_itself_is_left_as_it_was(copy: Path, judged: tuple[Path, str]) -> None:
    assert (copy / "visit.json").read_bytes() == (judged[0] / "visit.json").read_bytes()
    assert {f"{f.parent.name}/{f.name}": f.read_bytes() for f in judged[0].glob("frames/*/*.jpg")} == STILLS
    assert not (judged[0] / NAME).exists()


def test_the_copy_verifies_against_the_charges_hash_and_tells_what_is_kept_back(
    copy: Path, judged: tuple[Path, str], vault: Vault
) -> None:
    found = trace.verify(copy, judged[1])
    assert (found.same, found.withheld) == (True, {"blurred": 1, "left out": 1})
    assert found.signed_by == vault.public_key().hex()


def test_the_copy_packed_as_a_tar_verifies_as_well(copy: Path, judged: tuple[Path, str], tmp_path: Path) -> None:
    trace.export(copy, tmp_path / "visit.tar")
    assert trace.verify(tmp_path / "visit.tar", judged[1]).withheld == {"blurred": 1, "left out": 1}


def swapped(copy: Path) -> None:
    (copy / "frames/inside/00000000.jpg").write_bytes(b"somebody else's hand")


def unblurred_shelf(copy: Path) -> None:
    (copy / "frames/inside/00001000.jpg").write_bytes(b"another shelf")


def forged(copy: Path) -> None:
    told = json.loads((copy / NAME).read_text())
    told["stills"]["inside/00001000.jpg"] = {"why": "blurred", "original": "x", "shown": "y", "faces": 1}
    (copy / NAME).write_text(json.dumps(told))


def unsigned(copy: Path) -> None:
    told = json.loads((copy / NAME).read_text())
    (copy / NAME).write_text(json.dumps({**told, "signature": ""}))


@pytest.mark.parametrize("change", [swapped, unblurred_shelf, forged, unsigned])
def test_what_nobody_has_signed_for_differs(
    change: Callable[[Path], None], copy: Path, judged: tuple[Path, str]
) -> None:
    change(copy)
    assert not trace.verify(copy, judged[1]).same


def test_a_copy_where_nothing_is_kept_back_has_no_list(judged: tuple[Path, str], vault: Vault, tmp_path: Path) -> None:
    made = tmp_path / "plain" / judged[0].name
    made.mkdir(parents=True)
    assert trace.shown_copy(judged[0], made, lambda jpeg: (jpeg, 0), vault.sign) == {}
    assert not (made / NAME).exists()
    assert trace.verify(made, judged[1]).withheld == {}


def test_erased_stills_are_gone_and_the_evidence_says_why(judged: tuple[Path, str], vault: Vault) -> None:
    folder, hash_ = judged
    assert trace.erase_pictures(folder, vault.sign) == 3
    assert not (folder / "frames").exists()
    assert not (folder / "clips").exists()
    found = trace.verify(folder, hash_)
    assert (found.same, found.withheld) == (True, {"erased": 3})
    assert trace.erase_pictures(folder, vault.sign) == 0


def test_a_copy_of_what_was_erased_still_says_so(judged: tuple[Path, str], vault: Vault, tmp_path: Path) -> None:
    folder, hash_ = judged
    trace.erase_pictures(folder, vault.sign)
    made = tmp_path / "later" / folder.name
    made.mkdir(parents=True)
    trace.shown_copy(folder, made, blur, vault.sign)
    assert trace.verify(made, hash_).withheld == {"erased": 3}


def test_without_a_key_to_sign_with_the_list_is_written_and_does_not_pass(judged: tuple[Path, str]) -> None:
    folder, hash_ = judged
    trace.erase_pictures(folder, lambda _: None)
    found = trace.verify(folder, hash_)
    assert NAME in {finding.where for finding in found.findings}


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"no json", b'{"format": "cabinet-withheld/1"}'])
def test_what_is_no_list_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whatever is wrong with it
        read(content)


def test_a_reason_that_is_none_is_refused(judged: tuple[Path, str], vault: Vault, tmp_path: Path) -> None:
    from cabinet.trace.withheld import write

    write(tmp_path, "v", {"a/0.jpg": Withheld("because", "x")}, vault.sign)  # type: ignore[arg-type]  # no reason
    with pytest.raises(ValueError, match="reason"):
        read((tmp_path / NAME).read_bytes())
    shutil.rmtree(judged[0])
