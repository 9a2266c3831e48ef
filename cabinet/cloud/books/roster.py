"""What the books hold of the fleet's list of members: each as they are now, the versions, and what each cabinet has.

A removed member leaves their id and nothing else.  The log holds no person's data: a fingerprint is salted, and its
salt goes with the entry.
"""

from typing import Final

ROSTER: Final = """
CREATE TABLE roster_head (
    id {int} PRIMARY KEY CHECK (id = 0),
    version {int} NOT NULL,                -- of the newest change; whoever raises it holds the row until the commit
    sent {int} NOT NULL,                   -- up to where the cabinets have been told without asking
    bytes {int} NOT NULL                   -- of all entries
){strict};
INSERT INTO roster_head (id, version, sent, bytes) VALUES (0, 0, 0, 0);
CREATE TABLE roster_member (
    member TEXT NOT NULL PRIMARY KEY,
    version {int} NOT NULL,
    entry TEXT,                            -- canonical JSON, as the cabinets get it; NULL: removed for good
    cabs TEXT NOT NULL,                    -- JSON: the cabinets that know the member; null: all
    who TEXT NOT NULL,
    at_ms {int} NOT NULL
){strict};
CREATE TABLE roster_code (
    code TEXT NOT NULL PRIMARY KEY,        -- SHA-256 of a card, or a public key
    member TEXT NOT NULL
){strict};
CREATE INDEX roster_code_of ON roster_code (member);
CREATE TABLE roster_log (
    version {int} NOT NULL PRIMARY KEY,
    member TEXT NOT NULL,
    fingerprint TEXT NOT NULL,             -- '' from a removal on
    cabs TEXT NOT NULL
){strict};
CREATE INDEX roster_log_of ON roster_log (member, version);
CREATE TABLE roster_at (
    cab TEXT NOT NULL PRIMARY KEY,
    version {int} NOT NULL,                -- what it said that it has
    told_ms {int} NOT NULL,
    expected {int} NOT NULL                -- what it has if it got our last answer
){strict};
"""
