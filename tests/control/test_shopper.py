"""What the page may ask of the daemon, and what nobody may learn by it."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cabinet.control.audited import PAGE_USER
from cabinet.control.requests import RequestError
from cabinet.control.server import Control
from cabinet.control.shopper import BEAT_S, MemberKeys, ShopperRoom, walled
from cabinet.ledger import Consent, Ledger
from cabinet.session.effects import Notice
from cabinet.shopper import Shopper
from cabinet.units import MemberId
from tests.support.virtual_time import run_in_virtual_time

CONSENT = Consent("1", 0, "en")
NONCE_S = 62.0  # between two beats


def public(number: int) -> str:
    seed = hashlib.sha256(str(number).encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw().hex()


def room() -> ShopperRoom:
    made = ShopperRoom(Shopper("c1", NONCE_S, lambda _: None, {}))
    made.shopper.line = lambda: "Hello"
    made.shopper.show(Notice.READY)
    return made


def asking() -> ShopperRoom:
    made = room()
    made.shopper.show(Notice.LOOKING)
    made.shopper.ask("digits")
    return made


def ask(one: ShopperRoom | MemberKeys, operation: str, who: str = PAGE_USER, /, **arguments: Any) -> dict[str, Any]:
    answer = asyncio.run(_ask(one, operation, who, arguments))
    assert isinstance(answer, dict)
    return answer


async def _ask(one: ShopperRoom | MemberKeys, operation: str, who: str, arguments: dict[str, Any]) -> object:
    return await one.operations()[operation](arguments, who)


async def heard(watcher: AsyncIterator[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    return [await anext(watcher) for _ in range(count)]


# --- the page ---------------------------------------------------------------------------------------------------------


def test_the_page_is_told_what_to_show() -> None:
    seen = ask(room(), "shopper.screen")
    assert {**seen, "nonce": seen["nonce"][:5]} == {
        "mode": "idle", "line": "Hello", "total": "", "hint": "", "nonce": "CABN:", "codes": True, "faces": True,
    }  # fmt: skip  # a row


def test_whoever_watches_is_told_at_once_and_at_every_change() -> None:
    async def story() -> None:
        live = room()
        watcher = live.watch()
        (first,) = await heard(watcher, 1)
        live.shopper.show(Notice.SHOPPING)
        (second,) = await heard(watcher, 1)
        assert (first["mode"], second["mode"]) == ("idle", "shopping")

    asyncio.run(story())


def test_several_changes_at_once_are_told_once() -> None:
    async def story() -> list[str]:
        live = room()
        watcher = live.watch()
        await heard(watcher, 1)
        for notice in (Notice.LOOKING, Notice.WELCOME, Notice.SHOPPING):
            live.shopper.show(notice)
        began_s = asyncio.get_running_loop().time()
        told = await heard(watcher, 2)
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(BEAT_S)
        return [one["mode"] for one in told]

    assert run_in_virtual_time(story()) == ["shopping", "shopping"]


def test_a_quiet_cabinet_says_something_every_few_seconds() -> None:
    async def story() -> float:
        watcher = room().watch()
        await heard(watcher, 4)
        return asyncio.get_running_loop().time()

    assert run_in_virtual_time(story()) == pytest.approx(3 * BEAT_S)


def test_another_number_is_told_when_it_is_due() -> None:
    async def story() -> None:
        live = room()
        watcher = live.watch()
        (first,) = await heard(watcher, 1)
        began_s = asyncio.get_running_loop().time()
        while (await anext(watcher))["nonce"] == first["nonce"]:
            pass
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(NONCE_S, abs=0.1)

    run_in_virtual_time(story())


def test_digits_reach_the_greeter() -> None:
    live, told = asking(), list[str]()
    live.shopper.on_digits = told.append
    assert (ask(live, "shopper.digits", digits="0042"), told) == ({"taken": True}, ["0042"])


def test_a_yes_reaches_the_greeter() -> None:
    live, told = room(), list[bool]()
    live.shopper.show(Notice.LOOKING)
    live.shopper.ask("confirm")
    live.shopper.on_confirm = told.append
    assert (ask(live, "shopper.confirm", yes=True), told) == ({"taken": True}, [True])


@pytest.mark.parametrize("operation", ["shopper.digits", "shopper.confirm"])
def test_an_answer_to_no_question_is_refused(operation: str) -> None:
    with pytest.raises(RequestError, match="nobody asks"):
        ask(room(), operation, digits="1234", yes=True)


@pytest.mark.parametrize("digits", [None, 1234, "", "123", "12345", "12a4", "١٢٣٤", "1234\n", ["1234"]])
def test_what_is_no_four_digits_is_refused_and_not_repeated(digits: object) -> None:
    live, told = asking(), list[str]()
    live.shopper.on_digits = told.append
    with pytest.raises(RequestError) as caught:
        ask(live, "shopper.digits", digits=digits)
    assert told == []
    assert str(digits).strip() not in str(caught.value) or not str(digits).strip()


@pytest.mark.parametrize("yes", [None, 1, "true"])
def test_a_yes_is_true_or_false(yes: object) -> None:
    with pytest.raises(RequestError, match="yes"):
        ask(room(), "shopper.confirm", yes=yes)


def test_digits_are_in_no_log_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    live = asking()
    control = Control(tmp_path / "s", live.operations(), {})
    answer = asyncio.run(control._answer("shopper.digits", {"digits": "8642"}, PAGE_USER))
    assert (answer["ok"], "shopper.digits" in caplog.text, "8642" in caplog.text) == (True, True, False)


# --- the page's user --------------------------------------------------------------------------------------------------


async def unlocked(_: object, __: str) -> dict[str, Any]:
    return {"unlocked": True}


def test_the_pages_user_may_do_nothing_but_the_pages_own() -> None:
    operations = walled({"unlock": unlocked, **room().operations()})
    with pytest.raises(RequestError, match="unlock is not for the shopper's page"):
        asyncio.run(unlocking(operations, PAGE_USER))
    assert asyncio.run(unlocking({**operations, "unlock": operations["shopper.screen"]}, PAGE_USER))["mode"] == "idle"


def test_a_technician_may_do_everything() -> None:
    assert asyncio.run(unlocking(walled({"unlock": unlocked}), "tech")) == {"unlocked": True}


async def unlocking(operations: Any, who: str) -> dict[str, Any]:
    answer: dict[str, Any] = await operations["unlock"]({}, who)
    return answer


def test_a_page_of_another_users_name_is_a_technician() -> None:
    assert PAGE_USER == "cabinet-screen"


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def keys(tmp_path: Path) -> MemberKeys:
    return MemberKeys(Ledger(tmp_path / "l.db"))


@pytest.fixture
def ann(keys: MemberKeys) -> MemberId:
    return keys.ledger.add_member("Ann", CONSENT)


def test_a_key_is_added_listed_and_removed(keys: MemberKeys, ann: MemberId) -> None:
    added = ask(keys, "members.key_add", member=ann, public=public(1))
    listed = ask(keys, "members.keys", member=ann)
    removed = ask(keys, "members.key_remove", member=ann, kid=added["kid"].upper())
    assert (listed["keys"], removed["keys"]) == ([{"kid": added["kid"], "public": public(1)}], [])


@pytest.mark.parametrize("bad", ["", "zz", "00" * 32, "01" + "00" * 31])
def test_no_key_is_refused_with_what_to_do(keys: MemberKeys, ann: MemberId, bad: str) -> None:
    with pytest.raises(RequestError) as caught:
        ask(keys, "members.key_add", member=ann, public=bad)
    assert caught.value.remedy


def test_the_key_of_somebody_else_is_not_removed(keys: MemberKeys, ann: MemberId) -> None:
    ben = keys.ledger.add_member("Ben", CONSENT)
    kid = ask(keys, "members.key_add", member=ben, public=public(1))["kid"]
    with pytest.raises(RequestError, match="no such key"):
        ask(keys, "members.key_remove", member=ann, kid=kid)
    assert len(keys.ledger.keys(ben)) == 1


@pytest.mark.parametrize("operation", ["members.keys", "members.key_add", "members.key_remove"])
def test_nobody_has_keys(keys: MemberKeys, operation: str) -> None:
    with pytest.raises(RequestError, match="no such member"):
        ask(keys, operation, member="01JD0000000000000000000000", public=public(1), kid="00" * 8)


def test_a_key_that_is_known_is_refused_in_the_ledgers_words(keys: MemberKeys, ann: MemberId) -> None:
    ask(keys, "members.key_add", member=ann, public=public(1))
    with pytest.raises(RequestError, match="known already"):
        ask(keys, "members.key_add", member=ann, public=public(1))
