"""The ledger's tables, as numbered migrations.  A released one is never edited; a change is a new one at the end.

The triggers are the last line of defence for the invariants: a closing happens once, a closed amount never changes,
an event is never altered, and an unacknowledged event is never deleted, whatever a later program gets wrong.
"""

from typing import Final

from cabinet.ledger import keys, privacy, roster, technicians, trust  # each room brings its own tables

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

PRICES = """
ALTER TABLE product ADD COLUMN deposit INTEGER NOT NULL DEFAULT 0 CHECK (deposit >= 0);
ALTER TABLE member ADD COLUMN age INTEGER CHECK (age BETWEEN 1 AND 150); -- verified, in years, at least; NULL: no proof
ALTER TABLE member ADD COLUMN age_by TEXT NOT NULL DEFAULT '';
ALTER TABLE member ADD COLUMN age_at_ms INTEGER;
CREATE TABLE price_rules (
    version INTEGER PRIMARY KEY,           -- the price version that they came into force with
    rules TEXT NOT NULL,                   -- JSON
    who TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER rules_never_change BEFORE UPDATE ON price_rules
    BEGIN SELECT RAISE(ABORT, 'past price rules never change'); END;
CREATE TRIGGER rules_stay BEFORE DELETE ON price_rules
    BEGIN SELECT RAISE(ABORT, 'past price rules are never deleted'); END;
"""

LEARNING = """
CREATE TABLE belief (
    sku TEXT PRIMARY KEY REFERENCES product ON DELETE CASCADE,
    prior_g REAL NOT NULL,                 -- the catalogue's mass when this was learnt
    mean_g REAL NOT NULL CHECK (mean_g > 0),
    weight REAL NOT NULL CHECK (weight > 0),
    spread_g2 REAL NOT NULL CHECK (spread_g2 > 0),
    spread_weight REAL NOT NULL,
    scale_sd_g REAL NOT NULL,
    units INTEGER NOT NULL,
    sure INTEGER NOT NULL,                 -- not one person's count alone
    visits INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    rival TEXT                             -- JSON: what does not fit, until it is believed or forgotten
) STRICT;
CREATE TABLE lesson (
    visit TEXT NOT NULL,
    part TEXT NOT NULL,                    -- '' the whole visit; of a technician's each zone, too
    PRIMARY KEY (visit, part)
) STRICT;
CREATE TABLE uncounted (
    visit TEXT NOT NULL,                   -- a technician's
    zone TEXT NOT NULL,
    purpose TEXT NOT NULL,
    change TEXT NOT NULL,                  -- JSON: what the zone weighed more or less
    before TEXT NOT NULL,                  -- JSON: what the ledger knew there at the unlock
    PRIMARY KEY (visit, zone)
) STRICT;
CREATE TABLE stray (
    zone TEXT NOT NULL,
    sku TEXT NOT NULL REFERENCES product ON DELETE CASCADE,
    since_visit TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count >= 0),
    found INTEGER NOT NULL,                -- certain visits that took it from there
    PRIMARY KEY (zone, sku)
) STRICT;
CREATE TABLE shadow (
    name TEXT PRIMARY KEY,
    visits INTEGER NOT NULL,
    agreed INTEGER NOT NULL,
    more INTEGER NOT NULL,                 -- visits in which it would have charged more
    less INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    more_minor INTEGER NOT NULL,
    less_minor INTEGER NOT NULL
) STRICT;
"""

CREDIT = """
ALTER TABLE visit ADD COLUMN terms TEXT NOT NULL DEFAULT '{}'; -- JSON: for how much the member was let in, and by whom
CREATE TABLE blocked (
    member TEXT PRIMARY KEY,               -- no foreign key: the cloud's list, of members of other cabinets too
    why TEXT NOT NULL
) STRICT;
"""

ADJUSTMENTS = """
CREATE TABLE adjustment (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,               -- drawn at random: the idempotency key of what is given back
    visit TEXT NOT NULL REFERENCES visit (visit),
    kind TEXT NOT NULL CHECK (kind IN ('refund', 'correction', 'dispute')),
    back_minor INTEGER NOT NULL CHECK (back_minor >= 0), -- given back to the member
    lines TEXT NOT NULL DEFAULT '[]',      -- of a correction: the bill as it is now
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    facts TEXT NOT NULL DEFAULT '{}',      -- JSON: of a dispute, its evidence and when the answer is due
    mono_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    quality TEXT NOT NULL
) STRICT;
CREATE INDEX adjustment_of ON adjustment (visit);
CREATE TRIGGER adjustment_never_changes BEFORE UPDATE ON adjustment
    BEGIN SELECT RAISE(ABORT, 'a refund, correction or dispute never changes'); END;
CREATE TRIGGER adjustment_stays BEFORE DELETE ON adjustment
    BEGIN SELECT RAISE(ABORT, 'a refund, correction or dispute is never deleted'); END;
"""

MIGRATIONS: Final = (
    FIRST, BOARD_JOURNAL, GALLERY_SPREAD, PRICES, LEARNING, CREDIT, ADJUSTMENTS,
    privacy.SCHEMA, keys.SCHEMA, trust.SCHEMA, technicians.SCHEMA, roster.SCHEMA,
)  # fmt: skip  # a row
