"""The audit itself: opens what is to be read, streams it through the pure comparisons, keeps what they found.

The cabinets' files are looked at first, so that everything confirmed there is in the cloud's snapshot, taken later.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from cabinet.audit.chains import Chain
from cabinet.audit.edges import EdgeFile
from cabinet.audit.ledger import CloudBooks
from cabinet.audit.provider import intents
from cabinet.audit.rows import KINDS, Fact, Finding, Kind, Tally
from cabinet.audit.sorting import Sorter
from cabinet.audit.told import Scope
from cabinet.audit.visits import check_visits

MOST: Final = 20  # findings of a kind that are kept; all are counted


@dataclass
class Report:
    most: int = MOST
    found: Counter[Kind] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.found

    def take(self, said: Finding | Tally) -> None:
        if isinstance(said, Tally):
            self.counts[said.name] += said.n
            return
        self.found[said.kind] += 1
        if self.found[said.kind] <= self.most:
            self.findings.append(said)

    def told(self) -> dict[str, Any]:
        order = {kind: n for n, kind in enumerate(KINDS)}
        listed = sorted(self.findings, key=lambda one: order[one.kind])
        names = ("edge_events", "cloud_events", "visits", "sold", "charges", "waiting", "newer", "open")
        return {
            "ok": self.ok,
            **{kind: self.found[kind] for kind in KINDS},
            **{name: self.counts[name] for name in names},
            "findings": [asdict(one) for one in listed],
        }


def audit(edges: Sequence[Path], ledger: str, provider: Path | None = None, most: int = MOST) -> Report:
    """Raises LedgerError (BooksAwayError among them) for what cannot be read."""
    report = Report(most)
    with ExitStack() as stack:
        sorter = stack.enter_context(Sorter())
        files = [stack.enter_context(EdgeFile(path)) for path in edges]
        cloud = stack.enter_context(CloudBooks(ledger))
        home = cloud.stores()
        heads = {store: head for one in files for store, head in one.heads.items()}
        cabs = frozenset(home[store] for store in heads if store in home)
        for said in _chains(files, cloud, home, cabs):
            sorter.add(said) if isinstance(said, Fact) else report.take(said)
        for fact in _facts(files, cloud.facts(cabs, heads), provider):
            sorter.add(fact)
        for finding in cloud.unbalanced():
            report.take(finding)
        scope = Scope(money=cloud.keeps_money, provider=provider is not None)
        for found in check_visits(sorter.sorted(), scope):
            report.take(found)
    return report


def _chains(
    files: Sequence[EdgeFile], cloud: CloudBooks, home: dict[str, str], cabs: frozenset[str]
) -> Iterator[Finding | Fact | Tally]:
    newest_ms, seen = cloud.newest_ms(), set()
    for file in files:
        for store, head in file.heads.items():
            cab = home.get(store, "")
            chain = Chain(store, file.name, cab, head, cloud.mark(cab, store), newest_ms)
            yield from chain.compare(file.events(store), cloud.events(cab, store))
            seen.add(store)
    for store, cab in home.items():
        if cab in cabs and store not in seen:
            chain = Chain(store, cab, cab, None, cloud.mark(cab, store), newest_ms)
            yield from chain.compare((), cloud.events(cab, store))


def _facts(files: Sequence[EdgeFile], charges: Iterable[Fact], provider: Path | None) -> Iterator[Fact]:
    for file in files:
        yield from file.facts()
    yield from charges
    if provider is not None:
        yield from intents(provider)
