"""The charge's evidence, looked at with the technician's own command while the daemon runs."""

from cabinet.cli.demo.shop import Member, Shop
from tests.scenarios.command import as_json

COLA = "5000000000011"


def test_evidence_is_found_unchanged_and_what_somebody_changes_is_named(shop: Shop, ann: Member) -> None:
    visit = shop.open_as(ann.code)
    shop.take("s1", COLA)
    shop.shut(visit)
    assert as_json(shop.bench.socket, "visits", "verify", visit)["same"] is True
    events = shop.bench.data / "traces" / visit / "events.jsonl"
    lines = events.read_text().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if '"door"' in line and "true" in line)
    events.write_text("".join([*lines[:at], lines[at].replace("true", "false"), *lines[at + 1 :]]))
    told = as_json(shop.bench.socket, "visits", "verify", visit, wants=1)
    assert told["same"] is False
    assert any("events.jsonl" in one["where"] for one in told["findings"]), told
