"""One believable answer of the daemon for every operation."""

import base64
from typing import Any

VISIT = "01JD0000000000000000000001"
MEMBER = "01JD000000000000000000000M"
WALL_MS = 1_780_000_000_000

BRIEF: dict[str, Any] = {
    "visit": VISIT, "member": MEMBER, "purpose": "shop", "opened_wall_ms": WALL_MS, "closed_wall_ms": WALL_MS + 9000,
    "outcome": "charge", "why": "", "total_minor": 500, "currency": "EUR", "confidence": 0.987,
}  # fmt: skip  # a row
STATUS: dict[str, Any] = {
    "cabinet": "bench-001", "version": "0.1.0", "state": "Idle", "screen": "Show your face or code", "faults": [],
    "visit": None, "member": None, "uptime_s": 7300.5, "zones": {"s1": {"g": None, "steady_g": 3012.4}},
    "door_open": False, "bolt_locked": True, "temperature_c": {"p1": 4.2},
    "backlog": {"count": 2, "oldest_wall_ms": WALL_MS}, "cloud": {"connected": False, "why": "connection refused"},
    "members": 3, "skus": 5, "clock": "ntp", "rss_mib": 88.0,
}  # fmt: skip  # a row
DOCTOR: dict[str, Any] = {
    "parts": [
        {"part": "board", "ok": True, "why": None, "needed": True, "remedy": "", "since_s": 99.0},
        {"part": "cloud", "ok": False, "why": "refused", "needed": False, "remedy": "start the broker", "since_s": 65},
    ],
    "counters": {"codes": {"garbage": 2, "read": 0}},
}
SHOWN: dict[str, Any] = {
    "visit": {
        **BRIEF, "lines": [
            {"sku": "070847811169", "name": "Cola", "quantity": 2, "unit_price": 250, "tax": "standard", "total": 500}
        ],
        "best_guess": [], "who": "face", "reason": "", "evidence_hash": "ab" * 32, "price_version": 4,
        "baseline_g": {"s1": 3030.0},
    },
    "tally": {
        "account": {
            "steps": [{"zone": "s1", "t": 3.25, "delta_g": -1010.0, "sd_g": 1.0, "items": {"070847811169": 2}}],
            "runner_up": "one Cola and a stone",
        }
    },
    "receipt": "RECEIPT\n2 x Cola 5.00",
}  # fmt: skip  # a row
ANSWERS: dict[str, Any] = {
    "status": STATUS,
    "doctor": DOCTOR,
    "visits.list": {"visits": [BRIEF]},
    "visits.show": SHOWN,
    "visits.export": {"name": f"{VISIT}.tar", "tar_b64": base64.b64encode(b"a tar").decode()},
    "visits.picture": {"png_b64": base64.b64encode(b"a png").decode()},
    "outbox": {
        "count": 1, "oldest_wall_ms": WALL_MS, "head_seq": 9,
        "rows": [{"seq": 9, "visit": VISIT, "type": "visit.closed", "wall_ms": WALL_MS, "acked": False}],
    },
    "members.add": {
        "member": MEMBER, "templates": 1, "token": "CAB1:not-a-real-one",
        "qr_png_b64": base64.b64encode(b"a code").decode(),
    },
    "members.list": {
        "members": [
            {
                "member": MEMBER, "name": "Zoë", "templates": 2, "tokens": 1, "consent_version": "1",
                "consent_wall_ms": WALL_MS, "erased": False,
            }
        ]
    },
    "members.erase": {"member": MEMBER, "templates": 2, "tokens": 1},
    "catalog.add": {"sku": "0708", "price_version": 5, "references": 1, "warnings": ["weighs the same as 0709"]},
    "catalog.list": {
        "products": [
            {
                "sku": "0708", "name": "Cola", "mass_g": 505.0, "mass_sd_g": None, "unit_price": 250, "tax": "standard",
                "min_age": 0, "references": 3, "zones": {"s1": 6},
            }
        ],
        "price_version": 5, "currency": "EUR",
    },
    "stock.set": {"stock": [{"zone": "s1", "sku": "0708", "name": "Cola", "count": 6}]},
    "stock.list": {"stock": [{"zone": "s1", "sku": "0708", "name": "Cola", "count": 6}]},
    "unlock": {"visit": VISIT},
}  # fmt: skip  # rows
