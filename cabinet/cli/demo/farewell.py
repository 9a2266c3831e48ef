"""A member leaves: what the cabinet kept of them goes, from its files too, and a signed receipt says so."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.shop import Member
from cabinet.ledger.privacy import hashed, receipt_is_right
from cabinet.proving.forgotten import found, in_rows, pieces, purse, rows_here, rows_there
from cabinet.units import MemberId


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A member who is erased, and what stood of them in the books before."""

    member: str
    sought: dict[str, bytes]  # in the cabinet's ledger, and their code in the open
    purse: dict[str, bytes]  # at the far end

    @classmethod
    def of(cls, bench: Bench, member: Member) -> Self:
        sought = {**pieces(bench.data / "ledger.db", member.member), "the code": member.token.encode()}
        return cls(member.member, sought, purse(bench.cloud_db, member.member))


def still_kept(bench: Bench, gone: Sequence[Forgotten]) -> list[str]:
    """Of all of them, at either end; empty where nothing is."""
    ids, books = [one.member for one in gone], bench.cloud_db
    told = rows_here(bench.data / "ledger.db", ids) + rows_there(books, ids)
    files = [*bench.data.rglob("*"), *books.parent.glob(f"{books.name}*")]
    for one in gone:
        told += [f"{about} stands in a file" for about in found(one.sought, files)]
        told += [f"{about} stands in a row" for about in in_rows(one.purse, books)]
    return told


@dataclass(frozen=True, slots=True)
class Farewell:
    receipt: dict[str, Any]
    verified: bool  # signed, unchanged since, and of this member
    before: int  # pieces of theirs that stood in the data directory
    left: tuple[str, ...]  # what of them, or of their name and code in the open, stands there still

    @property
    def told(self) -> str:
        gone = ", ".join(f"{n} {what}" for what, n in self.receipt["removed"].items() if n)
        return f"{gone}; kept: {', '.join(f'{n} {what}' for what, n in self.receipt['kept'].items() if n) or 'nothing'}"


def erase(bench: Bench, member: Member, file: Path) -> Farewell:
    """The receipt is left in `file`."""
    gone = Forgotten.of(bench, member)
    stood = found(gone.sought, bench.data.rglob("*"))
    receipt: dict[str, Any] = bench.ask("members.erase", member=member.member)["receipt"]
    file.write_text(json.dumps(receipt, indent=2) + "\n")
    verified = receipt_is_right(receipt) and receipt["member_sha256"] == hashed(MemberId(member.member))
    left = found({**gone.sought, "the name": member.name.encode()}, bench.data.rglob("*"))
    return Farewell(receipt, verified, len(stood), tuple(left))
