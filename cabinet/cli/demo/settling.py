"""The demonstration's money: a card for the member, what the provider has taken, and whether all books agree."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from cabinet.audit import audit
from cabinet.cli.demo.acting import soon
from cabinet.cli.demo.processes import CURRENCY, Bench
from cabinet.cli.demo.shop import Member
from cabinet.cloud.money.sandbox import Sandbox
from cabinet.receipt import money

SETTLED_S: Final = 60.0  # from the closing to the provider's answer


def give_card(bench: Bench, member: Member) -> None:
    """As a fleet manager does: `cabinet cloud wallet set`.  Raises RuntimeError with what it said."""
    words = ("wallet", "set", member.member, "--customer", f"cus_{member.member}", "--method", "pm_demo")
    refused = bench.operate(*words)
    if refused:
        raise RuntimeError(f"{member.name} gets no card: {refused}")


def told_of(visit: Mapping[str, Any]) -> str:
    if visit["outcome"] != "charge":
        return "given back what was held for a visit without a charge"
    return f"captured {money(visit['total_minor'], CURRENCY)} of visit {visit['visit']}, once"


def settled(bench: Bench, visit: Mapping[str, Any]) -> bool:
    """Within 20 s the provider has taken what was charged, and holds nothing any more."""

    def so() -> bool:
        found = [one for one in Sandbox(bench.provider_db).export() if one.visit == visit["visit"]]
        taken = sum(one.captured_minor for one in found)
        return taken == visit["total_minor"] and not any(one.status == "held" for one in found)

    return soon(so, SETTLED_S)


def agree(bench: Bench) -> bool:
    """`cabinet audit` over the cabinet's, the cloud's and the provider's books."""
    export = bench.folder / "provider.jsonl"
    lines = [json.dumps(asdict(one)) + "\n" for one in Sandbox(bench.provider_db).export()]
    export.write_text("".join(lines), encoding="utf-8")
    return audit([bench.data / "ledger.db"], str(bench.cloud_db), export).ok
