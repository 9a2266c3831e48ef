"""What the books hold of money: payments, each call to the provider, double-entry lines, adjustments, disputes.

A posting is never changed and never deleted; what was wrong is put right by another one.  Rules that no program may
break stand here as CHECKs: nothing captured beyond what was charged, nothing returned beyond what was captured.
"""

from typing import Final

MONEY: Final = """
CREATE TABLE payment (
    visit TEXT PRIMARY KEY,
    cab TEXT NOT NULL,
    member TEXT,
    currency TEXT NOT NULL,
    state TEXT NOT NULL,                               -- follows from the columns below; here for questions
    hold_minor {int} NOT NULL CHECK (hold_minor >= 0),       -- what the cabinet asked for at the door
    held_minor {int} NOT NULL CHECK (held_minor >= 0),       -- what stands at the provider, not captured yet
    charged_minor {int},                               -- what the closing, or a person, says; NULL before
    back_minor {int} NOT NULL CHECK (back_minor >= 0 AND back_minor <= coalesce(charged_minor, 0)),
    due_minor {int} NOT NULL CHECK (due_minor >= 0),         -- charged less taken back
    captured_minor {int} NOT NULL CHECK (captured_minor >= 0 AND captured_minor <= coalesce(charged_minor, 0)),
    returned_minor {int} NOT NULL CHECK (returned_minor >= 0 AND returned_minor <= captured_minor),
    intent TEXT NOT NULL,                              -- the provider's name of the newest authorisation
    tries {int} NOT NULL,                              -- declines since something is due
    next_ms {int},                                     -- when there is something to do; NULL: when something happens
    claim TEXT NOT NULL DEFAULT '',                    -- who works on it
    claim_until_ms {int} NOT NULL DEFAULT 0,
    why TEXT NOT NULL,
    updated_ms {int} NOT NULL,
    facts TEXT NOT NULL                                -- the rest of the state, as JSON
){strict};
CREATE INDEX payment_due ON payment (next_ms) WHERE next_ms IS NOT NULL;
CREATE INDEX payment_member ON payment (member, state);
CREATE INDEX payment_state ON payment (state);
CREATE TABLE attempt (
    n {serial},
    visit TEXT NOT NULL,
    op TEXT NOT NULL,                                  -- authorise, capture, cancel, refund, find
    key TEXT NOT NULL,
    amount_minor {int} NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('before', 'after')),
    said TEXT NOT NULL,
    at_ms {int} NOT NULL
){strict};
CREATE INDEX attempt_visit ON attempt (visit);
-- refuse attempt_stays: UPDATE ON attempt: an attempt is never changed
-- refuse attempt_is_kept: DELETE ON attempt: an attempt is never deleted
CREATE TABLE posting (
    n {serial},
    txn TEXT NOT NULL,
    line {int} NOT NULL,
    visit TEXT NOT NULL,
    kind TEXT NOT NULL
        CHECK (kind IN ('hold', 'release', 'sale', 'tax', 'deposit', 'capture', 'refund', 'writeoff')),
    account TEXT NOT NULL,
    amount_minor {int} NOT NULL,                       -- debit above 0, credit below
    currency TEXT NOT NULL,
    at_ms {int} NOT NULL,
    UNIQUE (txn, line)
){strict};
CREATE INDEX posting_visit ON posting (visit);
CREATE INDEX posting_account ON posting (account);
-- refuse posting_stays: UPDATE ON posting: a posting is never changed
-- refuse posting_is_kept: DELETE ON posting: a posting is never deleted
CREATE TABLE adjustment (
    id TEXT PRIMARY KEY,
    visit TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('refund', 'correction', 'writeoff')),
    back_minor {int} NOT NULL CHECK (back_minor >= 0),
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('edge', 'cloud')),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'booked', 'refused', 'paid')),
    at_ms {int} NOT NULL,
    cab TEXT NOT NULL                                  -- who said so
){strict};
CREATE INDEX adjustment_visit ON adjustment (visit);
-- refuse adjustment_stays: UPDATE OF id, visit, kind, back_minor, source ON adjustment: an adjustment keeps its amount
-- refuse adjustment_is_kept: DELETE ON adjustment: an adjustment is never deleted
CREATE TABLE dispute (
    id TEXT PRIMARY KEY,
    visit TEXT NOT NULL,
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    evidence_hash TEXT NOT NULL,
    evidence TEXT NOT NULL,                            -- the file's name at the cabinet
    opened_ms {int} NOT NULL,
    due_ms {int} NOT NULL,
    answer TEXT NOT NULL DEFAULT '',
    answered_ms {int},
    outcome TEXT NOT NULL DEFAULT ''
){strict};
CREATE INDEX dispute_due ON dispute (due_ms) WHERE answered_ms IS NULL;
CREATE TABLE decision (
    visit TEXT PRIMARY KEY,                            -- what a person decided of a visit that was in doubt
    capture_minor {int} NOT NULL CHECK (capture_minor >= 0),
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    at_ms {int} NOT NULL
){strict};
CREATE TABLE wallet (
    member TEXT PRIMARY KEY,
    customer TEXT NOT NULL,                            -- tokens of the provider; never a card's number
    method TEXT NOT NULL,
    set_ms {int} NOT NULL
){strict};
CREATE TABLE blocked (
    member TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    since_ms {int} NOT NULL
){strict};
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
){strict};
"""
