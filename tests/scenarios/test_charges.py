"""A real daemon, broker and cloud sold: money goes back at the cabinet's command, and the books are proved to agree."""

import hashlib
import os
import pwd
import shutil
import sqlite3
from pathlib import Path

import pytest

from cabinet.cli.demo.shop import Member, Shop
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from tests.scenarios.command import as_json, cabinet, typed

COLA, LIME = "5000000000011", "5000000000028"


def buy(shop: Shop, member: Member, *goods: tuple[str, str]) -> str:
    visit = shop.open_as(member.code)
    for zone, sku in goods:
        shop.take(zone, sku)
    assert shop.shut(visit)["visit"]["outcome"] == "charge"
    return visit


def confirmed(shop: Shop) -> None:
    wait_until(lambda: shop.bench.ask("outbox")["count"] == 0, PATIENCE_S, "the cloud confirms no more")


def audit(shop: Shop, cloud: Path) -> list[str]:
    return ["audit", "--edge", str(shop.bench.data / "ledger.db"), "--ledger", str(cloud)]


def test_refunds_and_a_dispute_reach_the_cloud_in_order_and_the_audit_proves_the_books(
    shop: Shop, ann: Member, tmp_path: Path
) -> None:
    socket, ask = shop.bench.socket, shop.bench.ask
    visit = buy(shop, ann, ("s1", COLA), ("s2", LIME))
    confirmed(shop)
    shop.bench.kill("cloud")
    charged = ask("charges.show", visit=visit)["charged_minor"]
    second = buy(shop, ann, ("s1", COLA))
    told = {"reason": "broken seal", "id": "01J8Z0000000000000000000R1"}
    words = ("charges", "refund", second, "--all", "--reason", told["reason"], "--id", told["id"])
    given, again = as_json(socket, *words), ask("charges.refund", visit=second, all=True, **told)
    assert (given["queued"], given["still_minor"], again["again"], again["still_minor"]) == (True, 0, True, 0)
    refused = typed(["charges", "refund", second, "--amount", "0.01", "--reason", "x", "--socket", str(socket)])
    assert (refused.returncode, "cannot be given back" in refused.stderr.replace("\n", " ")) == (1, True)
    corrected = as_json(socket, "charges", "correct", visit, "--set", f"{LIME}=0", "--reason", "was put back")
    assert 0 < corrected["still_minor"] < charged
    disputed = as_json(socket, "charges", "dispute", visit, "--reason", "says it was not her")["dispute"]
    assert disputed["who"] == pwd.getpwuid(os.getuid()).pw_name
    evidence = shop.bench.data / "disputes" / disputed["evidence"]
    assert hashlib.sha256(evidence.read_bytes()).hexdigest() == disputed["evidence_hash"]
    assert "NEW TOTAL" in cabinet(socket, "visits", "show", visit)
    assert [one["visit"] for one in ask("charges.list", disputed=True)["charges"]] == [visit]

    waiting = typed([*audit(shop, shop.bench.cloud_db), "--json"])
    assert (waiting.returncode, '"waiting": 1' in waiting.stdout) == (0, True), waiting.stdout
    shop.bench.start_cloud()
    confirmed(shop)
    proved = typed(audit(shop, shop.bench.cloud_db))
    assert (proved.returncode, "0 lost, 0 doubled, 0 gaps, 0 forks" in proved.stdout) == (0, True), proved.stdout
    with sqlite3.connect(shop.bench.cloud_db) as cloud:
        kinds = [kind for (kind,) in cloud.execute("SELECT type FROM event WHERE type <> 'incident' ORDER BY seq")]
    changes = ["visit.refunded", "visit.corrected", "visit.disputed"]
    assert kinds == ["visit.opened", "visit.closed", "visit.opened", "visit.closed", *changes]

    copy = tmp_path / "cloud.db"
    with sqlite3.connect(shop.bench.cloud_db) as cloud, sqlite3.connect(copy) as there:
        cloud.backup(there)
        there.execute("DELETE FROM charge WHERE visit = ?", [second])
    missing = typed(audit(shop, copy))
    assert (missing.returncode, second in missing.stdout, visit in missing.stdout) == (1, True, False)


@pytest.mark.campaign
def test_a_dead_cabinets_file_is_audited_as_well(shop: Shop, ann: Member, tmp_path: Path) -> None:
    buy(shop, ann, ("s1", COLA))
    confirmed(shop)
    shop.bench.kill("daemon")
    dead = tmp_path / "dead"
    dead.mkdir()
    for file in shop.bench.data.glob("ledger.db*"):
        shutil.copy(file, dead)
    done = typed(["audit", "--edge", str(dead / "ledger.db"), "--ledger", str(shop.bench.cloud_db), "--json"])
    assert (done.returncode, '"sold": 1' in done.stdout) == (0, True), done.stdout + done.stderr
