"""Price rules by version: kept for ever, so that any past bill can be worked out again.  Never changed, never deleted.

A version is the catalogue's too: it goes up at every change of a product or of the rules.
"""

from cabinet.basket.prices import PriceRules
from cabinet.basket.rules import RulesError, rules_from, rules_to
from cabinet.ledger.entries import Stamp
from cabinet.ledger.errors import LedgerError
from cabinet.ledger.room import Room, from_json, to_json


class PriceRoom(Room):
    def price_version(self) -> int:
        """Goes up by one at every change of the catalogue or of the rules; 0 while there is nothing."""
        row = self._file.row("SELECT price_version FROM identity")
        return 0 if row is None else int(row["price_version"])

    def price_rules(self, version: int | None = None) -> PriceRules:
        """Those in force now, or when the price list had this version; none before the first were set."""
        wanted = self.price_version() if version is None else version
        row = self._file.row("SELECT rules FROM price_rules WHERE version <= ? ORDER BY version DESC", wanted)
        try:
            return PriceRules() if row is None else rules_from(from_json(row["rules"]))
        except RulesError as error:
            raise LedgerError(f"the price rules of version {wanted} cannot be read: {error}") from error

    def _keep_rules(self, rules: PriceRules, who: str, clock: Stamp) -> int:
        with self._file.writing() as db:
            db.execute("UPDATE identity SET price_version = price_version + 1")
            version = self.price_version()
            row = [version, to_json(rules_to(rules)), who, clock.wall_ms]
            db.execute("INSERT INTO price_rules (version, rules, who, at_ms) VALUES (?, ?, ?, ?)", row)
        return version
