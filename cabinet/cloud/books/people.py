"""What the books hold of those who asked to be forgotten: their bare id, and whether their wallet is gone."""

from typing import Final

PEOPLE: Final = """
CREATE TABLE forgotten (
    member TEXT PRIMARY KEY,
    cab TEXT NOT NULL,                                 -- where they asked
    store TEXT NOT NULL,
    seq {int} NOT NULL,                                -- the event that told of it
    at_ms {int} NOT NULL,
    wallet_ms {int}                                    -- when the wallet went; NULL: something may still be collected
){strict};
CREATE INDEX forgotten_waits ON forgotten (member) WHERE wallet_ms IS NULL;
"""
