"""The ledger's tables, as numbered migrations.  A released one is never edited; a change is a new one at the end.

The triggers are the last line of defence for the invariants: a closing happens once, a closed amount never changes,
an event is never altered, and an unacknowledged event is never deleted, whatever a later program gets wrong.
"""

from typing import Final

APPLICATION_ID: Final = 0x43414231  # "CAB1"

FIRST = """
CREATE TABLE identity (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    store TEXT NOT NULL,
    price_version INTEGER NOT NULL
) STRICT;
INSERT INTO identity VALUES (0, lower(hex(randomblob(16))), 0);

CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    name TEXT NOT NULL,
    facts TEXT NOT NULL
) STRICT;

CREATE TABLE visit (
    n INTEGER PRIMARY KEY,                 -- the order of opening
    visit TEXT NOT NULL UNIQUE,
    member TEXT,                           -- no foreign key: the bare id outlives the member's erasure
    purpose TEXT NOT NULL CHECK (purpose IN ('shop', 'restock', 'service')),
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    price_version INTEGER NOT NULL,
    baseline_mg TEXT NOT NULL,
    trace TEXT NOT NULL,
    opened_mono_ms INTEGER NOT NULL,
    opened_wall_ms INTEGER NOT NULL,
    opened_quality TEXT NOT NULL,
    outcome TEXT CHECK (outcome IN ('charge', 'nothing', 'review', 'void', 'serviced')),
    why TEXT NOT NULL DEFAULT '',
    lines TEXT NOT NULL DEFAULT '[]',
    best_guess TEXT NOT NULL DEFAULT '[]',
    total_minor INTEGER NOT NULL DEFAULT 0 CHECK (total_minor >= 0),
    currency TEXT NOT NULL DEFAULT '',
    confidence REAL CHECK (confidence BETWEEN 0 AND 1),
    evidence_hash TEXT NOT NULL DEFAULT '',
    closed_mono_ms INTEGER,
    closed_wall_ms INTEGER,
    closed_quality TEXT,
    CHECK ((outcome IS NULL) = (closed_wall_ms IS NULL)),
    CHECK (outcome IS 'charge' OR (total_minor = 0 AND lines = '[]'))
) STRICT;
CREATE INDEX visit_open ON visit (n) WHERE outcome IS NULL;
CREATE TRIGGER visit_is_closed_once BEFORE UPDATE ON visit WHEN OLD.outcome IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'a closed visit never changes'); END;
CREATE TRIGGER visit_stays BEFORE DELETE ON visit
    BEGIN SELECT RAISE(ABORT, 'a visit is never deleted'); END;

CREATE TABLE outbox (
    store TEXT NOT NULL,
    seq INTEGER NOT NULL CHECK (seq > 0),
    visit TEXT,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    prev TEXT NOT NULL,
    h TEXT NOT NULL,
    boot TEXT NOT NULL,
    mono_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    quality TEXT NOT NULL,
    acked_at_ms INTEGER,
    acked_quality TEXT,
    PRIMARY KEY (store, seq)
) STRICT;
CREATE INDEX outbox_waiting ON outbox (store, seq) WHERE acked_at_ms IS NULL;
CREATE TRIGGER event_never_changes BEFORE UPDATE OF visit, type, body, boot, mono_ms, wall_ms, quality ON outbox
    BEGIN SELECT RAISE(ABORT, 'an event never changes'); END;
CREATE TRIGGER stored_event_keeps_its_place BEFORE UPDATE OF store, seq, prev, h ON outbox
    WHEN OLD.acked_at_ms IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'an acknowledged event keeps its place'); END;
CREATE TRIGGER event_waits_for_its_ack BEFORE DELETE ON outbox WHEN OLD.acked_at_ms IS NULL
    BEGIN SELECT RAISE(ABORT, 'an unacknowledged event is never deleted'); END;

CREATE TABLE member (
    member TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    consent_version TEXT NOT NULL,
    consent_at_ms INTEGER NOT NULL,
    consent_language TEXT NOT NULL
) STRICT;
CREATE TABLE template (
    n INTEGER PRIMARY KEY,
    member TEXT NOT NULL REFERENCES member ON DELETE CASCADE,
    model TEXT NOT NULL,
    vector BLOB NOT NULL                   -- float32, little endian
) STRICT;
CREATE INDEX template_of ON template (member);
CREATE TABLE token (
    sha256 TEXT PRIMARY KEY,
    member TEXT NOT NULL REFERENCES member ON DELETE CASCADE
) STRICT;
CREATE INDEX token_of ON token (member);

CREATE TABLE product (
    sku TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    mass_g REAL NOT NULL CHECK (mass_g > 0),
    mass_sd_g REAL CHECK (mass_sd_g > 0),
    unit_price INTEGER NOT NULL CHECK (unit_price >= 0),
    tax TEXT NOT NULL,
    min_age INTEGER NOT NULL CHECK (min_age >= 0)
) STRICT;
CREATE TABLE gallery (
    sku TEXT NOT NULL,
    model TEXT NOT NULL,                   -- sha256 of the model that made the vectors
    mean BLOB NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    PRIMARY KEY (sku, model)
) STRICT;
CREATE TABLE planogram (
    zone TEXT NOT NULL,
    place INTEGER NOT NULL,
    sku TEXT NOT NULL,
    PRIMARY KEY (zone, sku)
) STRICT;
CREATE TABLE stock (
    zone TEXT NOT NULL,
    sku TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count >= 0),
    PRIMARY KEY (zone, sku)
) STRICT;

CREATE TABLE note (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
"""

BOARD_JOURNAL = """
CREATE TABLE board_journal (
    n INTEGER PRIMARY KEY,                 -- the order of arrival
    board TEXT NOT NULL,                   -- id of the chip, hexadecimal
    ring INTEGER NOT NULL,                 -- how often its indexes have begun anew (a new memory chip)
    idx INTEGER NOT NULL CHECK (idx > 0),
    boot INTEGER NOT NULL,
    t_ms INTEGER NOT NULL,                 -- since that boot
    kind TEXT NOT NULL,
    visit TEXT,                            -- no foreign key: a self-test has no visit here
    facts TEXT NOT NULL,                   -- JSON, by kind
    received_mono_ms INTEGER NOT NULL,
    received_wall_ms INTEGER NOT NULL,
    received_quality TEXT NOT NULL,
    UNIQUE (board, ring, idx)
) STRICT;
CREATE INDEX board_journal_of ON board_journal (visit) WHERE visit IS NOT NULL;
CREATE TRIGGER journal_never_changes BEFORE UPDATE ON board_journal
    BEGIN SELECT RAISE(ABORT, 'what the board wrote never changes'); END;
"""

GALLERY_SPREAD = """
ALTER TABLE gallery ADD COLUMN spread REAL NOT NULL DEFAULT 0 CHECK (spread >= 0);
ALTER TABLE gallery ADD COLUMN picture BLOB; -- a small JPEG of the product, for people
"""

MIGRATIONS: Final = (FIRST, BOARD_JOURNAL, GALLERY_SPREAD)
