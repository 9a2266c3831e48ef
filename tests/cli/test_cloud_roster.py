"""The fleet's list of members as a person keeps it: files of our own, copies for members, refusals by the field."""

import json
from pathlib import Path
from typing import Any

import pytest

from cabinet.cloud.books import open_books
from cabinet.cloud.roster import FleetRoster
from cabinet.identity.entry import entry_of
from cabinet.ledger import Consent, Ledger
from tests.cli.conftest import Cli
from tests.ledger.examples import stamp
from tests.uplink.fleet import AGREED, MODEL, card, member_id, with_face

NUMBERS = [0.5, -0.25, 0.125]
BARE: dict[str, Any] = {"consent": AGREED}


@pytest.fixture
def db(tmp_path: Path) -> str:
    place = tmp_path / "cloud.db"
    open_books(place).close()
    return str(place)


def file_of(folder: Path, content: object) -> str:
    path = folder / "member.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def done(cli: Cli, *words: str) -> Any:
    result = cli("cloud", "roster", *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def entry_in(db: str, member: str) -> dict[str, Any]:
    books = open_books(db, read_only=True)
    (entry,) = FleetRoster(books).entries([member]).values()  # type: ignore[list-item]  # a text as good as an id
    books.close()
    return entry


def test_a_member_without_an_id_gets_one_and_is_listed(cli: Cli, db: str, tmp_path: Path) -> None:
    told = done(cli, "add", file_of(tmp_path, {**BARE, "age": 18, "cards": [card(1)]}), "--db", db, "--who", "ann")
    assert len(told["member"]) == 26
    assert told["version"] == 1
    listed = done(cli, "list", "--db", db)
    ((member),) = listed["members"]
    assert (listed["version"], listed["removed"], listed["cabinets"]) == (1, 0, [])
    assert (member["member"], member["age"], member["cards"], member["who"]) == (told["member"], 18, 1, "ann")
    assert told["member"] in cli("cloud", "roster", "list", "--db", db).stdout


def test_numbers_of_a_face_become_what_the_cabinets_get(cli: Cli, db: str, tmp_path: Path) -> None:
    faces = {"share_face": AGREED, "templates": [{"model": MODEL, "numbers": NUMBERS}]}
    told = done(cli, "add", file_of(tmp_path, {**BARE, **faces}), "--db", db)
    assert entry_of(entry_in(db, told["member"])).templates == ((MODEL, tuple(NUMBERS)),)


def test_a_copy_that_a_cabinet_wrote_for_the_member_is_taken_without_name_and_visits(
    cli: Cli, db: str, tmp_path: Path
) -> None:
    with Ledger(tmp_path / "edge.db") as ledger:
        ada = ledger.add_member("Ada Lovelace", Consent("3", 5, "en"))
        ledger.set_consent(ada, "share-face", Consent("3", 6, "en"))
        ledger.add_template(ada, NUMBERS, MODEL)
        ledger.set_digits(ada, "4711")
        ledger.set_verified(ada, True, "eve", stamp())  # noqa: FBT003  # as it is
        ledger.verify_age(ada, 21, "eve", stamp())
        ledger.add_key(ada, bytes.fromhex("58" + "66" * 31))
        ledger.add_token(ada)
        exported = ledger.export_member(ada)
    done(cli, "add", file_of(tmp_path, exported), "--cabinet", "cab-1", "--cabinet", "cab-2", "--db", db)
    raw = entry_in(db, ada)
    entry = entry_of(raw)
    assert (entry.member, entry.verified, entry.age, entry.digits) == (ada, True, 21, "4711")
    assert (entry.consent.at_ms, entry.share_face and entry.share_face.at_ms) == (5, 6)
    assert entry.templates == ((MODEL, tuple(NUMBERS)),)
    assert entry.keys == ("58" + "66" * 31,)
    assert "Ada" not in json.dumps(raw)
    assert done(cli, "show", ada, "--db", db)["cabinets"] == ["cab-1", "cab-2"]


def exported(**more: Any) -> dict[str, Any]:
    enrol = {"what": "enrol", "given": 1, **AGREED}
    return {
        "member": member_id(1), "name": "Ada", "templates": [{"model": MODEL, "numbers": NUMBERS}],
        "rows": {"member": [{"verified": 1, "age": None}], "consent": [enrol]}, **more,
    }  # fmt: skip  # a row


def test_faces_that_the_member_does_not_share_are_refused_and_may_be_left_out(
    cli: Cli, db: str, tmp_path: Path
) -> None:
    path = file_of(tmp_path, exported())
    refused = cli("cloud", "roster", "add", path, "--db", db)
    assert refused.exit_code == 2
    assert "templates: the member has not agreed to share their face" in refused.stderr
    done(cli, "add", path, "--without-faces", "--db", db)
    assert done(cli, "show", member_id(1), "--db", db)["templates"] == {}


def test_a_consent_that_was_taken_back_is_none(cli: Cli, db: str, tmp_path: Path) -> None:
    rows = exported()["rows"]["consent"]
    share = {"what": "share-face", **AGREED}
    given = {"member": [], "consent": [*rows, {**share, "given": 1}, {**share, "given": 0}]}
    refused = cli("cloud", "roster", "add", file_of(tmp_path, exported(rows=given)), "--db", db)
    assert (refused.exit_code, "share-face" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("field", "content"),
    [
        ("name", {**BARE, "name": "Ada"}),
        ("age", {**BARE, "age": "old"}),
        ("consent", {"age": 18}),
        ("consent", {"consent": {"version": "3"}}),
        ("consent", exported(rows={})),
        ("digits", {**BARE, "digits": "47112"}),
        ("keys[0]", {**BARE, "keys": ["zz"]}),
        ("templates", {**BARE, "templates": [{"model": MODEL, "numbers": NUMBERS}]}),
        ("templates[0]", {**BARE, "share_face": AGREED, "templates": [{"model": MODEL}]}),
        ("templates[0].numbers", {**BARE, "templates": [{"model": MODEL, "numbers": ["a"]}]}),
        ("templates[0].numbers", {**BARE, "templates": [{"model": MODEL, "numbers": [1e300]}]}),
        ("templates[0].numbers", {**BARE, "templates": [{"model": MODEL, "numbers": [0.5] * 513}]}),
        ("templates[1].vector", {**BARE, "templates": [{"model": MODEL, "numbers": NUMBERS}, {"vector": [True]}]}),
        ("cabinets", {**BARE, "cabinets": "cab-1"}),
        ("member", {**BARE, "member": "ada"}),
    ],
    ids=str,
)
def test_a_wrong_field_is_named(cli: Cli, db: str, tmp_path: Path, field: str, content: object) -> None:
    refused = cli("cloud", "roster", "add", file_of(tmp_path, content), "--db", db)
    assert refused.exit_code in {1, 2}
    assert f"{field}:" in refused.stderr
    assert done(cli, "list", "--db", db)["members"] == []


@pytest.mark.parametrize("content", ["", "{", "[]", "5", '{"age": NaN}', "[" * 100_000, " " * 1_000_001], ids=len)
def test_a_file_that_holds_no_member_is_refused(cli: Cli, db: str, tmp_path: Path, content: str) -> None:
    refused = cli("cloud", "roster", "add", file_of(tmp_path, content), "--db", db)
    assert (refused.exit_code, "member.json" in refused.stderr) == (2, True)


def test_a_file_that_is_not_there_is_refused(cli: Cli, db: str, tmp_path: Path) -> None:
    refused = cli("cloud", "roster", "add", str(tmp_path / "none.json"), "--db", db)
    assert (refused.exit_code, "cannot be read" in refused.stderr) == (2, True)


def test_a_member_is_changed_by_the_fields_of_the_file(cli: Cli, db: str, tmp_path: Path) -> None:
    whole = {**BARE, "member": member_id(1), "digits": "4711", "cards": [card(1)], **with_face(0.5), "cabinets": ["a"]}
    done(cli, "add", file_of(tmp_path, whole), "--db", db)
    told = done(cli, "change", file_of(tmp_path, {"member": member_id(1), "verified": True}), "--db", db)
    assert told == {"member": member_id(1), "version": 2}
    shown = done(cli, "show", member_id(1), "--db", db)
    assert (shown["verified"], shown["digits"], shown["cabinets"], shown["templates"]) == (
        True,
        True,
        ["a"],
        {MODEL: 1},
    )
    done(cli, "change", file_of(tmp_path, {"member": member_id(1), "cabinets": None}), "--db", db)
    assert done(cli, "show", member_id(1), "--db", db)["cabinets"] is None
    done(cli, "change", file_of(tmp_path, {"member": member_id(1)}), "--cabinet", "b", "--db", db)
    assert done(cli, "show", member_id(1), "--db", db)["cabinets"] == ["b"]


def test_a_change_names_its_member(cli: Cli, db: str, tmp_path: Path) -> None:
    refused = cli("cloud", "roster", "change", file_of(tmp_path, {"age": 18}), "--db", db)
    assert (refused.exit_code, "member: is missing" in refused.stderr) == (2, True)
    refused = cli("cloud", "roster", "change", file_of(tmp_path, {"member": member_id(9)}), "--db", db)
    assert (refused.exit_code, "is not on the list" in refused.stderr) == (1, True)


def test_a_removed_member_is_shown_no_more(cli: Cli, db: str, tmp_path: Path) -> None:
    done(cli, "add", file_of(tmp_path, {**BARE, "member": member_id(1)}), "--db", db)
    assert "every" not in cli("cloud", "roster", "show", member_id(1), "--db", db).stdout
    assert done(cli, "remove", member_id(1), "--db", db) == {"member": member_id(1), "version": 2}
    assert done(cli, "list", "--db", db)["removed"] == 1
    refused = cli("cloud", "roster", "show", member_id(1), "--db", db)
    assert (refused.exit_code, "no member" in refused.stderr) == (1, True)
    assert cli("cloud", "roster", "remove", member_id(1), "--db", db).exit_code == 1


def test_a_database_that_is_not_there_is_not_made(cli: Cli, tmp_path: Path) -> None:
    refused = cli("cloud", "roster", "list", "--db", str(tmp_path / "none.db"))
    assert (refused.exit_code, "is not there" in refused.stderr) == (2, True)
