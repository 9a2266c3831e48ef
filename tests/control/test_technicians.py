"""Technicians at the socket and before the camera: what a code opens, and that it never lets anybody shop."""

import asyncio
import base64
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cabinet import clock
from cabinet.adapters.codes import CodeReader
from cabinet.control import technicians
from cabinet.control.maintenance import Maintenance
from cabinet.control.requests import RequestError
from cabinet.control.technicians import TechnicianDesk
from cabinet.identity import token
from cabinet.identity.lockout import TRIES
from cabinet.identity.technicians import LINES_PER_HOUR, Service, format_code
from cabinet.ledger import Consent, Ledger, LedgerError, Stamp
from cabinet.parts import Parts
from cabinet.session import events as ev
from cabinet.session.states import Authenticating, Fault, Idle, OutOfService, Servicing
from cabinet.units import MemberId
from tests.ledger.examples import stamp
from tests.test_daemon import Cabinet, daemon_of, live

MINUTE_S = 60.0


@dataclass
class Bench:
    ledger: Ledger

    def __post_init__(self) -> None:
        self.hands = Cabinet(self.ledger)
        self.daemon = daemon_of(self.hands)
        self.maintenance = Maintenance(self.daemon, Parts(self.daemon.post, clock.now_s))
        self.desk = TechnicianDesk(
            self.ledger, self.maintenance, start=lambda: "start", is_user=lambda user: user != "no"
        )

    def ask(self, op: str, who: str = "root", /, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = asyncio.run(self.desk.operations()[f"technicians.{op}"](arguments, who))
        return answer

    def tina(self) -> str:
        return str(self.ask("add", name="Tina", user="tina")["technician"])

    def code(self, purpose: str = "restock") -> str:
        technician = next((one.technician for one in self.ledger.technicians()), None) or self.tina()
        return str(self.ask("code", technician=technician, purpose=purpose)["code"])


def soon(seconds: float = 1.0) -> Stamp:
    now = clock.stamp()
    return dataclasses.replace(now, mono_ms=now.mono_ms + int(seconds * 1000))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Ledger(tmp_path / "l.db") as ledger:
        yield Bench(ledger)


# Before the camera.


def test_a_code_is_taken_once(bench: Bench) -> None:
    code = bench.code()
    taken = [bench.desk.technician_of_code(code, soon(after_s)) for after_s in (1, 2 * MINUTE_S)]
    assert isinstance(taken[0], Service)
    assert taken[1] is None


def test_the_greeter_is_told_who_comes_and_what_for(bench: Bench) -> None:
    opening = bench.desk.at_door(bench.code("service"))
    assert opening is not None
    assert (opening.who, opening.purpose, opening.reason) == ("Tina", "service", "code")


def test_what_is_no_technicians_code_is_nothing_here(bench: Bench) -> None:
    member = bench.ledger.add_member("Ann", Consent("1", 1, "en"))
    assert bench.desk.technician_of_code(bench.ledger.add_token(member), soon()) is None
    assert (bench.desk.counts["wrong codes"], bench.ledger.audited(9)) == (0, [])


def test_a_member_who_is_a_technician_too_has_two_codes_that_open_two_things(bench: Bench) -> None:
    member = bench.ledger.add_member("Tina", Consent("1", 1, "en"))
    card, code = bench.ledger.add_token(member), bench.code()
    assert (bench.ledger.member_of_token(card), bench.ledger.member_of_token(code)) == (member, None)
    assert bench.desk.at_door(card) is None
    assert bench.desk.at_door(code) is not None


def test_a_wrong_code_leaves_a_line_that_says_whose_it_was(bench: Bench) -> None:
    code = bench.code()
    bench.desk.technician_of_code(code, soon(11 * MINUTE_S))
    (line,) = bench.ledger.audited(9)
    assert (line.who, line.name, line.op, line.result, line.error) == (
        "camera", "Tina", "code.use", "refused", "expired",
    )  # fmt: skip  # a row


def test_a_made_up_code_is_nobodys(bench: Bench) -> None:
    bench.desk.technician_of_code(format_code(bytes(16)), soon())
    (line,) = bench.ledger.audited(9)
    assert (line.technician, line.error) == (None, "unknown")


def test_a_wrong_code_in_a_hundred_frames_is_one_line(bench: Bench) -> None:
    for n in range(100):
        bench.desk.technician_of_code(format_code(bytes(16)), soon(n / 8))
    assert (len(bench.ledger.audited(999)), bench.desk.counts["wrong codes"]) == (1, 1)


def test_after_a_few_wrong_codes_a_right_one_waits_and_is_good_afterwards(bench: Bench) -> None:
    code = bench.code()
    for n in range(TRIES):
        bench.desk.technician_of_code(format_code(bytes([n] * 16)), soon(1))
    taken = [bench.desk.technician_of_code(code, soon(after_s)) for after_s in (2, 40)]
    assert [one is not None for one in taken] == [False, True]


def test_whoever_shows_codes_all_day_fills_no_disk(bench: Bench) -> None:
    """One made-up code every ten seconds for three hours."""
    for n in range(1080):
        bench.desk.technician_of_code(format_code(n.to_bytes(16, "big")), stamp(mono_ms=n * 10_000))
    lines = bench.ledger.audited(9999)
    assert len(lines) <= 3 * LINES_PER_HOUR
    assert any("before it were not written down" in line.error for line in lines)


def test_a_code_is_not_used_up_while_the_door_has_to_stay_shut(bench: Bench) -> None:
    code = bench.code()
    bench.maintenance.doing, bench.maintenance.door_stays_shut = "selftest", True
    assert bench.desk.technician_of_code(code, soon()) is None
    bench.maintenance.doing, bench.maintenance.door_stays_shut = None, False
    assert bench.desk.technician_of_code(code, soon(2)) is not None


def test_a_code_that_cannot_be_written_down_opens_nothing_and_stays_good(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise LedgerError("no room on the disk")

    code = bench.code()
    with monkeypatch.context() as broken:
        broken.setattr(bench.ledger, "note_audit", full)
        assert bench.desk.technician_of_code(code, soon()) is None
    assert bench.desk.technician_of_code(code, soon(2)) is not None


def test_no_code_and_no_name_is_ever_logged(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    code = bench.code()
    for text in (code, format_code(bytes(16))):
        bench.desk.technician_of_code(text, soon())
    assert "service_code_used" in caplog.text
    assert not any(word in caplog.text for word in (code[5:], "Tina", "AAAA"))


# What it opens.


def opened(bench: Bench, before: type, *events: ev.Event) -> ev.ServiceRequested:
    """A code is shown; the machine takes what the greeter makes of it."""
    opening = bench.desk.at_door(bench.code())
    assert opening is not None
    now_s = clock.now_s()
    request = ev.ServiceRequested(now_s, clock.new_visit(), opening.who, opening.purpose, opening.reason)
    if before is Authenticating:
        live(bench.daemon, ev.ShopperApproached(now_s, request.visit))
    if before is OutOfService:
        live(bench.daemon, ev.PartLost(now_s, Fault("board", "away")))
    assert isinstance(bench.daemon.state, before)
    live(bench.daemon, request, *events)
    return request


@pytest.mark.parametrize("before", [Idle, Authenticating, OutOfService])
def test_a_code_opens_a_visit_of_service_that_is_nobodys(bench: Bench, before: type) -> None:
    request = opened(bench, before)
    assert isinstance(bench.daemon.state, Servicing)
    record = bench.ledger.visit(request.visit)
    assert record is not None
    assert (record.member, record.purpose, record.who, record.reason) == (None, "restock", "Tina", "code")


def test_nobody_is_charged_for_what_a_code_opened(bench: Bench) -> None:
    later_s = clock.now_s() + 60
    request = opened(bench, Idle, ev.DoorOpened(later_s), ev.DoorClosed(later_s + 60))
    record = bench.ledger.visit(request.visit)
    assert record is not None
    assert (record.outcome, record.total_minor, record.lines) == ("serviced", 0, ())


def test_a_restock_that_a_code_opened_and_that_is_left_open_is_an_incident(bench: Bench) -> None:
    later_s = clock.now_s() + 1
    request = opened(bench, Idle, ev.DoorOpened(later_s))
    deadline_s = bench.daemon.state.deadline_s  # type: ignore[union-attr]  # of Servicing
    live(bench.daemon, ev.DeadlineReached(deadline_s))
    incidents = [row for row in bench.ledger.outbox() if row.type == "incident"]
    assert [row.visit for row in incidents] == [request.visit]


# A phone's token.


def key_of(bench: Bench, technician: str) -> Ed25519PrivateKey:
    private = Ed25519PrivateKey.generate()
    bench.ask("key", technician=technician, public=private.public_key().public_bytes_raw().hex())
    return private


def checked(bench: Bench, private: Ed25519PrivateKey, named: str, kind: token.Kind = "service") -> str:
    """What becomes of a token for this cabinet and a good number."""
    here = token.cabinet_hash("c1")
    shown = token.read(token.sign(private, (here, bytes(12)), MemberId(named), kind=kind).text)
    found = token.check(shown, here, bench.desk.service_key(shown.kid, shown.member), lambda _: "good", None)
    return found.why if isinstance(found, token.TokenRefused) else found.kind


def test_a_technicians_phone_signs_for_service_in_their_own_name(bench: Bench) -> None:
    tina = bench.tina()
    assert checked(bench, key_of(bench, tina), tina) == "service"


def test_a_technicians_phone_signs_for_nobody_else(bench: Bench) -> None:
    tina, tim = bench.tina(), bench.ask("add", name="Tim")["technician"]
    assert checked(bench, key_of(bench, tina), tim) == "unknown key"


def test_a_removed_technicians_phone_signs_nothing(bench: Bench) -> None:
    tina = bench.tina()
    private = key_of(bench, tina)
    bench.ask("remove", technician=tina)
    assert checked(bench, private, tina) == "unknown key"
    assert bench.desk.service_of_token(tina, soon()) is None


def test_a_token_of_service_leaves_a_line(bench: Bench) -> None:
    tina = bench.tina()
    found = bench.desk.service_of_token(tina, soon())
    assert found is not None
    assert (found.name, found.reason) == ("Tina", "token")
    assert [(one.op, one.name) for one in bench.ledger.audited(9)] == [("token.use", "Tina")]


# At the command line.


def test_a_code_is_told_as_text_and_as_a_picture(bench: Bench) -> None:
    answer = bench.ask("code", technician=bench.tina(), purpose="service", minutes=5)
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(answer["qr_png_b64"]), np.uint8), cv2.IMREAD_COLOR)
    assert list(CodeReader().read(np.asarray(picture, np.uint8))) == [answer["code"]]
    assert answer["minutes"] == 5


def test_the_list_tells_who_when_and_by_which_user_and_no_code(bench: Bench) -> None:
    code = bench.code()
    answer = bench.ask("list")
    assert [(one["name"], one["user"], one["removed_wall_ms"]) for one in answer["technicians"]] == [
        ("Tina", "tina", None)
    ]
    assert (answer["live_codes"], code[5:] in repr(answer)) == (1, False)


def test_a_key_is_listed_by_its_kid_and_forgotten_by_it(bench: Bench) -> None:
    tina = bench.tina()
    key_of(bench, tina)
    (kid,) = bench.ask("list")["technicians"][0]["kids"]
    assert bench.ask("forget_key", kid=kid) == {"kid": kid}
    assert bench.ask("list")["technicians"][0]["kids"] == []


@pytest.mark.parametrize(
    ("op", "arguments", "said"),
    [
        ("add", {"name": ""}, "name is missing"),
        ("add", {"name": "Tim", "user": "no"}, "no such user"),
        ("add", {"name": "Tina"}, "of that name"),
        ("add", {"name": "Tim", "user": "tina"}, "another technician's"),
        ("remove", {"technician": "nobody"}, "no such technician"),
        ("code", {"technician": "nobody"}, "no such technician"),
        ("code", {"purpose": "shop"}, "purpose 'shop' is unknown"),
        ("code", {"minutes": 61}, "minutes is 61"),
        ("code", {"minutes": 0}, "minutes is 0"),
        ("key", {"public": "x"}, "64 hexadecimal digits"),
        ("key", {"public": "00" * 32}, "small order"),
        ("forget_key", {"kid": "00"}, "no such key"),
        ("log", {"limit": 0}, "limit is 0"),
        ("log", {"who": ""}, "who is missing"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(
    bench: Bench, op: str, arguments: dict[str, Any], said: str
) -> None:
    arguments = {"technician": bench.tina(), **arguments}
    if op == "add":
        del arguments["technician"]
    with pytest.raises(RequestError, match=said):
        bench.ask(op, **arguments)


def test_the_log_tells_the_newest_first_and_of_whom_it_is_asked(bench: Bench) -> None:
    for who in ("tina", "root", "tina"):
        bench.ledger.note_audit(who, "stock.set", stamp())
    assert [line["n"] for line in bench.ask("log", who="tina")["lines"]] == [3, 1]
    assert [line["n"] for line in bench.ask("log", limit=1)["lines"]] == [3]


def test_a_whole_trail_is_told_with_its_head(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(technicians, "BATCH", 4)
    for _ in range(9):
        bench.ledger.note_audit("tina", "stock.set", stamp())
    answer = bench.ask("verify")
    assert (answer["whole"], answer["lines"], answer["n"], answer["h"]) == (True, 9, *bench.ledger.audit_head())


def test_a_trail_with_a_gap_is_told_and_does_not_keep_the_daemon(bench: Bench) -> None:
    for _ in range(9):
        bench.ledger.note_audit("tina", "stock.set", stamp())
    bench.ledger._file.connection.execute("DROP TRIGGER audit_line_stays")
    bench.ledger._file.connection.execute("DELETE FROM audit_line WHERE n > 5")
    answer = bench.ask("verify")
    assert (answer["whole"], answer["why"]) == (False, "lines 6 to 9 are missing at the end")


def test_a_trail_made_anew_shows_against_a_line_that_was_noted(bench: Bench) -> None:
    bench.ledger.note_audit("tina", "stock.set", stamp())
    noted = bench.ask("verify")
    assert bench.ask("verify", n=noted["n"], h=noted["h"].upper())["whole"]
    connection = bench.ledger._file.connection
    for trigger in ("audit_line_stays", "audit_line_never_changes"):
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute("DELETE FROM audit_line")
    connection.execute("DELETE FROM note")
    bench.ledger.note_audit("tim", "stock.set", stamp())
    assert bench.ask("verify")["whole"]
    assert bench.ask("verify", n=noted["n"], h=noted["h"])["why"] == "line 1 is another one than the one noted"


def test_a_noted_line_that_was_forgotten_cannot_be_compared(bench: Bench) -> None:
    for _ in range(3):
        bench.ledger.note_audit("tina", "stock.set", stamp())
    bench.ledger.prune_audit(stamp(1, stamp().wall_ms + 500 * 86_400_000))
    with pytest.raises(RequestError, match="because of its age"):
        bench.ask("verify", n=2, h="0" * 64)
