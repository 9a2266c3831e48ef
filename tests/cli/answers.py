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
    "board": {
        "unlock_g": {"s1": 3030.0, "s2": None}, "close_g": {"s1": 2020.0, "s2": None}, "net_g": {"s1": -1010.0},
        "entries": [{"kind": "unlock granted", "boot": 3, "t_s": 12.5, "index": 7}],
    },
}  # fmt: skip  # a row
READING: dict[str, Any] = {
    "zone": "s1", "ok": True, "answer": "ok", "why": "", "remedy": "", "mean_counts": 5000, "noise_counts": 50.3,
    "zero_counts": 4990, "counts_per_g": 105.16, "residual_g": 0.02, "board_g": 0.1, "board_noise_g": 0.48,
}  # fmt: skip  # a row
SCALE: dict[str, Any] = {
    **READING, "g": 12.3, "noise_g": 0.48, "hz": 80.1, "samples": 80, "bad_share": 0.0125, "bad": {"spike": 1},
    "steady": True, "channel": 0, "capacity_g": 20000.0, "expected_noise_g": 1.0, "trouble": None,
}  # fmt: skip  # a row
INFO: dict[str, Any] = {
    "connected": True, "why": None, "port": "/dev/ttyACM0", "key_file": "/var/lib/cabinet/board.key", "key": None,
    "counters": {"frames_dropped": 3, "connects": 1}, "told": {"brown out": 65.0},
    "faults": [{"fault": "cell dead", "zone": "s2", "what": "it sends nothing", "remedy": "look at its plug"}],
    "board": "30585831c931672e", "firmware": "cabinet-board 1.0.0", "protocol": 2,
    "capabilities": ["signed unlock", "journal"], "zones": 4, "rate_hz": 80, "keyed": True, "reset_cause": "brown out",
    "boot_id": "00" * 8, "link": {"clock_offset_s": 5.0, "drift_ppm": -12.25, "jitter_ms": 1.5}, "uptime_s": 7300.0,
    "journal_next": 10, "budget": {"per_hour": 60, "per_day": 400}, "journal_stored": 9, "maintenance": None,
}  # fmt: skip  # a row
TESTED: dict[str, Any] = {
    "ok": True,
    "tests": [{"test": "lock pulse", "ok": True, "measured": "120 ms", "limit": "600 ms", "remedy": ""}],
}
STRAY: dict[str, Any] = {
    "zone": "s2", "sku": "0708", "name": "Cola", "count": 1, "found": 3, "since_visit": VISIT,
    "since_wall_ms": WALL_MS, "proposed": True,
}  # fmt: skip  # a row
PRICES: dict[str, Any] = {
    "price_version": 6, "currency": "EUR", "tax_included": True, "time_zone": "Europe/Berlin", "clock_trusted": False,
    "rules": {
        "taxes": {"standard": "19", "deposit": "0"}, "deposit_tax": "deposit",
        "discounts": [
            {"name": "Colas", "skus": ["0708"], "take": 3, "pay": 2},
            {"name": "Bars", "skus": ["0709"], "take": 2, "price": 300},
            {
                "name": "Evening", "skus": "all", "percent_off": "20", "from_units": 1, "days": ["mon", "fri"],
                "from": "17:00", "until": "19:00",
            },
        ],
    },
    "warnings": ["'Bars' saves nothing at today's prices"],
}  # fmt: skip  # a row
ANSWERS: dict[str, Any] = {
    "status": STATUS,
    "doctor": DOCTOR,
    "visits.list": {"visits": [BRIEF]},
    "visits.show": SHOWN,
    "visits.export": {"name": f"{VISIT}.tar", "tar_b64": base64.b64encode(b"a tar").decode()},
    "visits.picture": {"png_b64": base64.b64encode(b"a png").decode()},
    "visits.verify": {
        "visit": VISIT, "hash": "ab" * 32, "wanted": "ab" * 32, "findings": [], "lines": 7, "lines_behind": 0,
        "frames": 2, "frames_behind": 0, "withheld": {}, "signed_by": "", "same": True, "compared": True,
    },
    "visits.accesses": {
        "accesses": [
            {"who": "tina", "what": "visits.export", "visit": VISIT, "why": "a complaint", "wall_ms": WALL_MS},
            {"who": "tom", "what": "camera.snapshot", "visit": None, "why": "inside: not said", "wall_ms": WALL_MS},
        ]
    },
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
    "members.erase": {"member": MEMBER, "templates": 2, "tokens": 1, "receipt": {"format": "cabinet-erasure/1"}},
    "members.photo": {"member": MEMBER, "templates": 3},
    "members.digits": {"member": MEMBER, "digits": True},
    "members.verify": {"member": MEMBER, "verified": True, "by": "tina"},
    "members.withdraw": {"member": MEMBER, "templates": 4, "tokens": 1},
    "members.export": {"member": MEMBER, "name": "Zoë", "templates": [{"model": "m", "numbers": [0.5]}]},
    "members.age": {"member": MEMBER, "years": 18, "by": "ann"},
    "prices.show": PRICES,
    "prices.set": PRICES,
    "prices.check": PRICES,
    "catalog.add": {"sku": "0708", "price_version": 5, "references": 1, "warnings": ["weighs the same as 0709"]},
    "catalog.check": {
        "products": 3, "without_references": ["0710"], "few_references": ["0709"], "more_pairs": 0,
        "pairs": [
            {
                "sku": "0708", "other": "0709", "name": "Cola", "other_name": "Cola zero", "share": 0.18,
                "mass_apart_g": 2.0, "needed_g": 32.4, "separated": False, "told_apart_by": "nothing", "says": "",
            }
        ],
        "skus": ["0708", "0709"], "names": ["Cola", "Cola zero"],
        "map": [[0.0, 0.18], [0.12, 0.0]], "pictures": [None, None],
    },
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
    "stock.strays": {"strays": [STRAY], "found_visits": 3},
    "catalog.masses": {
        "masses": [
            {
                "sku": "0708", "name": "Cola", "catalogue_g": 505.0, "catalogue_sd_g": None, "learnt_g": 561.2,
                "learnt_sd_g": 4.1, "units": 12, "visits": 3, "in_use": True, "off_share": 0.1113,
                "last_wall_ms": WALL_MS, "since_wall_ms": WALL_MS, "doubt": "",
                "notice": "0708 Cola weighs 561 g, the catalogue says 505 g (since 2026-05-28, 12 units)",
            },
            {
                "sku": "0709", "name": "Cola zero", "catalogue_g": 503.0, "catalogue_sd_g": 3.0, "learnt_g": None,
                "learnt_sd_g": None, "units": 0, "visits": 0, "in_use": False, "off_share": None,
                "last_wall_ms": None, "since_wall_ms": None, "doubt": "3 units weighed 470 g: a new package?",
                "notice": "",
            },
        ],
        "far_off": 1, "least_units": 3,
    },
    "catalog.forget_mass": {"sku": "0708", "forgotten": True},
    "shadow.show": {
        "shadow": [
            {
                "name": "mps", "visits": 200, "agreed": 150, "more": 30, "less": 20, "failed": 1, "more_minor": 4000,
                "less_minor": 2500,
            }
        ],
        "running": ["mps"],
    },
    "unlock": {"visit": VISIT, "strays": [STRAY]},
    "board.info": INFO,
    "board.log": {
        "entries": [
            {
                "board": "30585831c931672e", "index": 7, "boot": 3, "t_s": 12.5, "at_wall_ms": WALL_MS,
                "kind": "unlock granted", "visit": VISIT, "facts": {"masses_g": {"s1": 3030.0, "s2": None}},
                "received_wall_ms": WALL_MS,
            },
            {
                "board": "30585831c931672e", "index": 8, "boot": 3, "t_s": 13.0, "at_wall_ms": None, "kind": "mirror",
                "visit": VISIT, "facts": {"amount_minor": 500, "currency": "EUR", "digest": "ab" * 32},
                "received_wall_ms": WALL_MS,
            },
        ]
    },
    "board.commission": {"key_file": "/var/lib/cabinet/board.key", "per_hour": 60, "per_day": 400},
    "board.selftest": TESTED,
    "scale.show": {"zones": [SCALE]},
    "scale.tare": READING,
    "scale.point": READING,
    "scale.calibrate": READING,
    "scale.cancel": {"zone": "s1"},
}  # fmt: skip  # rows
