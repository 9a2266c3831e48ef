"""One member's whole life with a running cabinet: nothing of them in logs, messages or recordings; nothing left after.

Enrolled with face, code and digits; shops, is looked up, has the recording exported, is erased while the cloud is away.
"""

import base64
import contextlib
import json
import re
import sqlite3
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from cabinet.cli.demo import people
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.shop import Shop, basket, coded
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from tests.scenarios.command import Fleet, as_json, cabinet, typed
from tests.scenarios.conftest import bench_in

COLA = "5000000000011"
NAME = "Ann Example-Surname"
VECTOR = [float(number) for number in np.random.default_rng(5).normal(0.0, 0.09, 128).astype(np.float32)]
DIGITS = "0815"  # no number begins with a zero: found as a word, it is these digits


@dataclass
class Life:
    """What there was of the member, and what was seen of it from outside."""

    secrets: Mapping[str, str]  # what it is -> as text
    vectors: list[list[float]]
    at_rest: Mapping[str, bytes]  # file of the data folder -> its bytes while the member was there
    logged: list[str]
    heard: list[tuple[str, bytes, bool]]
    erased: dict[str, Any]
    shown: str  # what the command line printed of the receipt
    after: Mapping[str, bytes]  # the same files after the erasure
    cloud: bytes


@pytest.fixture(scope="module")
def life(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    frank, _ = people.from_photographs(shared_data)
    person = Person(NAME, frank.enrolled_from, None)
    with TemporaryDirectory(prefix="shop-") as folder, bench_in(Path(folder)) as bench:
        shop = Shop(bench)
        shop.stock_drawn()
        wait_until(lambda: bool(bench.status()["cloud"]["connected"]), PATIENCE_S, "never connected")
        with Fleet(bench.broker.host, bench.broker.port) as fleet:
            yield lived(shop, bench, fleet, person, tmp_path_factory.mktemp("out"))


def lived(shop: Shop, bench: Bench, fleet: Fleet, person: Person, out: Path) -> Life:
    assert person.enrolled_from is not None
    added = bench.ask(
        "members.add", name=person.name, photos=coded([person.enrolled_from]), code=True, digits=DIGITS, consent="3"
    )
    member, token = added["member"], added["token"]
    bench.wait_for_state("Idle")
    visit = shop.open_as(people.code_picture(token))
    shop.take("s1", COLA)
    assert basket(shop.shut(visit)) == {COLA: 1}
    cabinet(bench.socket, "visits", "export", visit, "--out", str(out / "visit.tar"), "--why", "a complaint")
    held = as_json(bench.socket, "members", "export", member)
    bench.wait_for_state("Idle")
    at_rest = files(bench.data)
    bench.end("cloud")
    erased = bench.ask("members.erase", member=member)
    (out / "receipt.json").write_text(json.dumps(erased["receipt"]))
    after = files(bench.data)
    bench.start_cloud()
    wait_until(lambda: bool(bench.ask("outbox")["count"] == 0), PATIENCE_S, "the outbox does not empty")
    fleet.wait_for("ev", lambda event: event["type"] == "member.erased")
    return Life(
        {"name": NAME, "surname": "Example-Surname", "code": token, "secret of the code": token.partition(":")[2]},
        [one["numbers"] for one in held["templates"]],
        at_rest,
        bench.logs(),
        list(fleet.heard),
        {**erased, "member": member, "visit": visit},
        receipt_told(out / "receipt.json", member),
        after,
        b"".join(file.read_bytes() for file in bench.folder.glob("cloud.db*")),
    )


def receipt_told(file: Path, member: str) -> str:
    """`cabinet members receipt` asks no daemon."""
    done = typed(["members", "receipt", str(file), "--member", member])
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(folder: Path) -> dict[str, bytes]:
    """As they stand together: read until two readings in a row agree, for the daemon goes on writing."""
    seen = [_files(folder)]

    def at_rest() -> bool:
        seen.append(_files(folder))
        return seen[-1] == seen.pop(0)

    wait_until(at_rest, PATIENCE_S, "the files never come to rest")
    return seen[-1]


def _files(folder: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for file in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # renamed or removed since it was listed
            if file.is_file():
                found[str(file.relative_to(folder))] = file.read_bytes()
    return found


def as_bytes(vector: list[float]) -> list[bytes]:
    """Four of the numbers as any program could have written them."""
    found = []
    for at in (0, 31, 77):
        some = vector[at : at + 4]
        found += [struct.pack(f"{order}4{kind}", *some) for order in "<>" for kind in "fd"]
        raw = struct.pack("<4f", *some)
        found += [base64.b64encode(raw[skip:])[4:16] for skip in range(3)]
        found += [raw.hex().encode()]
    return found


def as_text(vector: list[float]) -> list[str]:
    """Six digits of some numbers: what every way to print them begins with."""
    digits = [f"{abs(number):.9f}" for number in vector[::9] if abs(number) > 0.01]
    return [text[1:8] for text in digits]  # ".012345"


def test_there_was_something_to_find(life: Life) -> None:
    assert len(life.vectors) >= 1
    assert all(len(vector) == 128 for vector in life.vectors)
    assert life.logged
    assert {"ledger.db", "device.key"} <= set(life.at_rest)
    assert any(name.startswith("traces/") and name.endswith(".jpg") for name in life.at_rest)
    member = life.erased["member"].encode()  # the bare id may be there, and is found where it is
    assert any(member in payload for _, payload, _ in life.heard)
    assert any(member in content for content in life.at_rest.values())
    assert member in life.cloud


@pytest.mark.parametrize("kind", ["<f", ">f", "<d", ">d", "base64", "hex", "json", "%.6f"])
def test_a_template_in_the_open_would_be_found(kind: str) -> None:
    vector = VECTOR
    raw = struct.pack("<128f", *vector)
    written = {
        "base64": base64.b64encode(b"x" + raw),
        "hex": raw.hex().encode(),
        "json": json.dumps(vector).encode(),
        "%.6f": " ".join(f"{number:.6f}" for number in vector).encode(),
    }
    content = b"before " + written.get(kind, b"")
    if kind[0] in "<>":
        content += struct.pack(f"{kind[0]}128{kind[1]}", *vector)
    assert (
        any(form in content for form in as_bytes(vector))
        or sum(text.encode() in content for text in as_text(vector)) > 1  # what is searched below fails on
    )


def test_name_and_code_stand_in_no_log_no_message_and_no_file(life: Life) -> None:
    assert set(life.secrets) == {"name", "surname", "code", "secret of the code"}
    for what, text in life.secrets.items():
        secret = text.encode()
        assert not [line for line in life.logged if text in line], what
        assert not [topic for topic, payload, _ in life.heard if secret in payload], what
        assert not [name for name, content in life.at_rest.items() if secret in content], what
        assert secret not in life.cloud, what


def test_the_digits_stand_in_no_log_no_message_and_no_recording(life: Life) -> None:
    word = re.compile(rf"(?<![0-9A-Za-z.:-]){DIGITS}(?![0-9A-Za-z:-])")
    texts = [*life.logged, *(payload.decode(errors="replace") for _, payload, _ in life.heard)]
    texts += [content.decode("latin-1") for name, content in life.at_rest.items() if name.endswith((".json", ".jsonl"))]
    assert not [text for text in texts if word.search(text)]


def test_no_template_stands_anywhere_in_any_form_even_before_the_erasure(life: Life) -> None:
    whole = b"\0".join(
        [
            *life.at_rest.values(),
            *(payload for _, payload, _ in life.heard),
            "\n".join(life.logged).encode(),
            life.cloud,
        ]
    )
    for vector in life.vectors:
        assert not [form for form in as_bytes(vector) if form in whole]
        assert sum(text.encode() in whole for text in as_text(vector)) <= 1  # one may be a chance


def test_after_the_erasure_no_sealed_form_is_left_either(life: Life) -> None:
    before, after = life.at_rest["ledger.db"] + life.at_rest.get("ledger.db-wal", b""), b"".join(life.after.values())
    assert life.erased["member"].encode() in before
    sealed = sealed_cells(life)
    assert sealed
    assert not [cell for cell in sealed if cell in after]


def sealed_cells(life: Life) -> list[bytes]:
    """The member's rows as they stood in the file, read from the copy of it."""
    with TemporaryDirectory() as folder:
        for name, content in life.at_rest.items():
            if name.startswith("ledger.db") and "/" not in name:
                (Path(folder) / name).write_bytes(content)
        connection = sqlite3.connect(Path(folder) / "ledger.db")
        (row,) = connection.execute(
            "SELECT wrapped, name, digits FROM member WHERE member = ?", [life.erased["member"]]
        ).fetchall()
        vectors = [one for (one,) in connection.execute("SELECT vector FROM template").fetchall()]
        codes = [one.encode() for (one,) in connection.execute("SELECT sha256 FROM token").fetchall()]
        connection.close()
    return [row[0], row[1].encode(), row[2], *vectors, *codes]


def test_the_stills_of_their_visit_are_gone_and_the_bill_stays(life: Life) -> None:
    visit = life.erased["visit"]
    assert [name for name in life.at_rest if name.startswith(f"traces/{visit}/frames/")]
    assert not [name for name in life.after if name.startswith(f"traces/{visit}/frames/")]
    assert {f"traces/{visit}/events.jsonl", f"traces/{visit}/withheld.json"} <= set(life.after)


def test_the_receipt_verifies_and_says_what_went(life: Life) -> None:
    receipt = life.erased["receipt"]
    assert receipt["removed"]["template"] == len(life.vectors)
    assert receipt["removed"]["stills"] > 0
    assert ("right" in life.shown, "NOT" in life.shown) == (True, False)


def test_the_erasure_was_told_by_the_bare_id_alone(life: Life) -> None:
    told = [json.loads(payload) for topic, payload, _ in life.heard if topic.endswith("/up/ev")]
    bodies = [one["body"] for one in told if one["type"] == "member.erased"]  # until it is acknowledged: again
    assert bodies
    assert all(body == {"member": life.erased["member"]} for body in bodies)
