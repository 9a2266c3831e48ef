"""What the books held at first: events, charges, marks, alarms."""

from typing import Final

FIRST: Final = """
CREATE TABLE event (
    n {serial},                 -- the order of arrival
    cab TEXT NOT NULL,
    store TEXT NOT NULL,
    seq {int} NOT NULL CHECK (seq > 0),
    h TEXT NOT NULL,
    prev TEXT NOT NULL,
    boot TEXT NOT NULL,
    visit TEXT,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    mono_ms {int} NOT NULL,
    wall_ms {int} NOT NULL,
    clock TEXT NOT NULL,
    stored_ms {int} NOT NULL,
    UNIQUE (cab, store, seq, h)
){strict};
CREATE TABLE charge (
    n {serial},                 -- the order of arrival
    visit TEXT NOT NULL UNIQUE,
    cab TEXT NOT NULL,
    store TEXT NOT NULL,
    seq {int} NOT NULL,
    h TEXT NOT NULL,
    member TEXT,
    total_minor {int} NOT NULL CHECK (total_minor >= 0),
    currency TEXT NOT NULL,
    lines TEXT NOT NULL,
    stored_ms {int} NOT NULL,
    review TEXT NOT NULL DEFAULT ''        -- why a person has to look at it before it is captured
){strict};
-- refuse amount_never_changes: UPDATE OF visit, cab, total_minor, currency, lines ON charge: its amount never changes
CREATE TABLE mark (
    cab TEXT NOT NULL,
    store TEXT NOT NULL,
    hwm {int} NOT NULL,
    h TEXT NOT NULL,
    PRIMARY KEY (cab, store)
){strict};
CREATE TABLE alarm (
    n {serial},
    cab TEXT NOT NULL,
    kind TEXT NOT NULL,
    what TEXT NOT NULL,
    at_ms {int} NOT NULL,
    UNIQUE (cab, kind, what)
){strict};
"""
