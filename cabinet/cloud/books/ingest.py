"""What the books hold of ingest: each visit as it is known, where each store stands, what was refused, who was heard.

Every question that is asked all day long is answered from these small tables; none looks through the events.  Times
are the cloud's own clock, at arrival: a cabinet that was away for a day has not left its door open for a day.
"""

from typing import Final

TABLES: Final = """
CREATE TABLE visit (
    visit TEXT NOT NULL PRIMARY KEY,
    cab TEXT NOT NULL,
    member TEXT,
    purpose TEXT,
    opened_ms {int},                       -- when the opening arrived; either half may come first
    closed_ms {int},
    outcome TEXT,
    terms TEXT NOT NULL DEFAULT '{}',
    evidence_hash TEXT,
    alarmed_ms {int}                       -- when a person was told that it stays open
){strict};
CREATE INDEX visit_open ON visit (opened_ms, visit) WHERE closed_ms IS NULL AND opened_ms IS NOT NULL;
CREATE INDEX visit_watched ON visit (opened_ms)
    WHERE closed_ms IS NULL AND opened_ms IS NOT NULL AND alarmed_ms IS NULL;
CREATE TABLE refusal (
    cab TEXT NOT NULL,                     -- "?" for every cabinet without a key
    why TEXT NOT NULL,
    n {int} NOT NULL,
    first_ms {int} NOT NULL,
    last_ms {int} NOT NULL,
    PRIMARY KEY (cab, why)
){strict};
CREATE TABLE home (
    store TEXT NOT NULL PRIMARY KEY,
    cab TEXT NOT NULL                      -- the only cabinet that may tell of this store
){strict};
CREATE TABLE heard (
    cab TEXT NOT NULL PRIMARY KEY,
    last_ms {int} NOT NULL                 -- its last message of any kind, to the minute
){strict};
ALTER TABLE event ADD COLUMN redacted {int} NOT NULL DEFAULT 0;
ALTER TABLE mark ADD COLUMN head {int} NOT NULL DEFAULT 0;          -- the highest event that has arrived
ALTER TABLE mark ADD COLUMN events {int} NOT NULL DEFAULT 0;
ALTER TABLE mark ADD COLUMN charges {int} NOT NULL DEFAULT 0;
ALTER TABLE mark ADD COLUMN last_n {int} NOT NULL DEFAULT 0;
ALTER TABLE mark ADD COLUMN gap_ms {int};                           -- since when something is missing at hwm + 1
ALTER TABLE mark ADD COLUMN gap_told {int} NOT NULL DEFAULT 0;      -- the missing event that a person was told of
CREATE INDEX mark_gap ON mark (gap_ms) WHERE gap_ms IS NOT NULL;
"""

OF_BEFORE: Final = """
INSERT INTO mark (cab, store, hwm, h)
    SELECT DISTINCT cab, store, 0, '0000000000000000000000000000000000000000000000000000000000000000' FROM event
    WHERE true ON CONFLICT DO NOTHING;
UPDATE mark SET
    head = (SELECT max(seq) FROM event e WHERE e.cab = mark.cab AND e.store = mark.store),
    events = (SELECT count(*) FROM event e WHERE e.cab = mark.cab AND e.store = mark.store),
    last_n = (SELECT max(n) FROM event e WHERE e.cab = mark.cab AND e.store = mark.store);
UPDATE mark SET charges = found.n
    FROM (SELECT cab, store, count(*) AS n FROM charge GROUP BY cab, store) AS found
    WHERE found.cab = mark.cab AND found.store = mark.store;
UPDATE mark SET gap_ms =
    (SELECT min(stored_ms) FROM event e WHERE e.cab = mark.cab AND e.store = mark.store AND e.seq > mark.hwm)
    WHERE head > hwm;
INSERT INTO home (store, cab) SELECT store, cab FROM mark WHERE true ORDER BY last_n ON CONFLICT DO NOTHING;
INSERT INTO visit (visit, cab, member, purpose, opened_ms, terms)
    SELECT visit, cab, {text member}, {text purpose}, stored_ms, coalesce({text terms}, '{}')
    FROM (SELECT e.*, row_number() OVER (PARTITION BY visit ORDER BY n) AS place FROM event e
          WHERE type = 'visit.opened' AND visit IS NOT NULL) AS o
    WHERE place = 1;
INSERT INTO visit (visit, cab, member, closed_ms, outcome, evidence_hash)
    SELECT visit, cab, {text member}, stored_ms, {text outcome}, {text evidence_hash}
    FROM (SELECT e.*, row_number() OVER (PARTITION BY visit ORDER BY n) AS place FROM event e
          WHERE type = 'visit.closed' AND visit IS NOT NULL) AS c
    WHERE place = 1
    ON CONFLICT (visit) DO UPDATE SET closed_ms = excluded.closed_ms, outcome = excluded.outcome,
        evidence_hash = excluded.evidence_hash, member = coalesce(excluded.member, visit.member)
    WHERE visit.cab = excluded.cab;
UPDATE charge SET member = (SELECT v.member FROM visit v WHERE v.visit = charge.visit AND v.cab = charge.cab)
    WHERE member IS NULL;
"""

INGEST: Final = TABLES + OF_BEFORE
