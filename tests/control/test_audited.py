"""Which operations leave a line in the audit trail, and that nothing comes into it that ought not to."""

import ast
from pathlib import Path
from typing import Any

import pytest

from cabinet.control import audited
from cabinet.control.audited import CHANGES, MAX_ERROR, MAX_SUBJECT, READS, SHOPPERS, changes, error_text, subject
from cabinet.control.requests import RequestError

ROOT = Path(audited.__file__).parents[1]
PHOTO = "A" * 40
SECRETS = {
    "name": "Anna Karenina",
    "photos": [PHOTO],
    "public": "d7" * 32,
    "digits": "4711",
    "reason": "for Anna Karenina",
    "description": "her shelf",
    "years": 41,
    "token": "CAB1:AAAABBBBCCCCDDDDEEEEFFFFGG",
    "rules": {"name": "Anna Karenina"},
}


def operations() -> set[str]:
    """The keys of what every `operations` in the package returns."""
    found: set[str] = set()
    for path in ROOT.rglob("*.py"):
        content = path.read_text()
        for node in ast.walk(ast.parse(content)) if "def operations(" in content else ():
            if isinstance(node, ast.FunctionDef) and node.name == "operations" and not _declared(node):
                keys = [key for table in ast.walk(node) if isinstance(table, ast.Dict) for key in table.keys]
                named = {str(key.value) for key in keys if isinstance(key, ast.Constant)}
                handed_on = any(isinstance(one, ast.Attribute) and one.attr == "operations" for one in ast.walk(node))
                assert named or handed_on, f"{path}: nobody can tell which operations these are"
                found |= named
    return found


def _declared(node: ast.FunctionDef) -> bool:
    """Of a room that anybody may be: nothing in it but `...`."""
    return ast.unparse(node.body[-1]) == "..."


def test_every_operation_either_looks_or_changes_something() -> None:
    known = [*READS, *CHANGES, *SHOPPERS]
    assert len(known) == len(set(known))
    assert operations() == set(known)


def test_an_operation_that_nobody_sorted_leaves_a_line_with_nothing_of_it() -> None:
    change = changes("dance", "tina")
    assert change is not None
    assert subject({"zone": "s1", **SECRETS}, change.told) == ""


@pytest.mark.parametrize(("who", "line"), [("cabinet-screen", False), ("tina", True)])
@pytest.mark.parametrize("operation", sorted(SHOPPERS))
def test_an_answer_for_a_shopper_leaves_a_line_where_it_is_not_the_shoppers(
    operation: str, who: str, *, line: bool
) -> None:
    assert (changes(operation, who) is not None) is line


@pytest.mark.parametrize("operation", sorted(CHANGES))
def test_no_secret_of_an_argument_comes_into_the_trail(operation: str) -> None:
    """Not even one that was typed where another value belongs."""
    change = CHANGES[operation]
    wrong: dict[str, Any] = dict.fromkeys((*change.told, *change.made), "Anna Karenina")
    told = subject({**SECRETS, **wrong}, change.told) + subject({**SECRETS, **wrong}, change.made)
    assert not any(part in told for part in ("Anna", "4711", PHOTO, "d7d7", "AAAABBBB", "41"))


@pytest.mark.parametrize(
    ("operation", "arguments", "told"),
    [
        ("stock.set", {"zone": "s1", "sku": "070847811169", "count": 6}, "zone=s1 sku=070847811169 count=6"),
        ("unlock", {"purpose": "restock", "reason": "weekly"}, "purpose=restock"),
        ("unlock", {"purpose": "anna"}, "purpose=?"),
        ("members.erase", {"member": "01JD000000000000000000000M"}, "member=01JD000000000000000000000M"),
        ("members.erase", {"member": "anna"}, "member=?"),
        ("scale.point", {"zone": "s1", "slot": 1, "mass_g": 500.0}, "zone=s1 slot=1 mass_g=500.0"),
        ("stock.set", {"zone": ["s1"], "sku": {"a": 1}, "count": True}, "zone=? sku=? count=?"),
        ("stock.set", {"zone": "s1", "sku": "4111111111111111", "count": 1}, "zone=s1 sku=? count=1"),
        ("catalog.add", {"sku": "C1", "zone": None, "name": "Cola"}, "sku=C1"),
    ],
)
def test_what_may_be_written_is_written(operation: str, arguments: dict[str, Any], told: str) -> None:
    assert subject(arguments, CHANGES[operation].told) == told


def test_a_subject_is_short_whatever_is_typed() -> None:
    told = subject({"sku": "x" * 10_000, "zone": "y" * 32, "count": 10**300}, CHANGES["stock.set"].told)
    assert told == f"zone={'y' * 32} sku=? count=?"
    assert len(told) <= MAX_SUBJECT


@pytest.mark.parametrize(
    ("said", "arguments", "kept"),
    [
        ("there is no zone 'Anna Karenina'", {"zone": "Anna Karenina"}, "there is no zone …"),
        ("there is no member Anna", {"member": "Anna "}, "there is no member …"),
        ("SKU C7 is no price", {"set": {"C7": 2}}, "SKU … is no price"),
        ("a member's name has 1 to 120 characters", {"name": ""}, "a member's name has 1 to 120 characters"),
        ("card 4111 1111 1111 1111 is none", {}, "card [redacted] is none"),
        ("two\nlines\x1b[2J", {}, "two lines [2J"),
        ("photograph 1: no face", {"photos": [PHOTO * 1000]}, "photograph 1: no face"),
    ],
)
def test_an_error_repeats_nothing_that_was_typed(said: str, arguments: dict[str, Any], kept: str) -> None:
    assert error_text(RequestError(said), arguments) == kept


def test_an_error_is_short() -> None:
    assert len(error_text(RequestError("x " * 1000), {})) == MAX_ERROR


def test_an_error_without_words_is_named() -> None:
    assert error_text(KeyError(), {}) == "KeyError"
