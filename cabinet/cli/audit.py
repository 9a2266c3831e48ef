"""`cabinet audit`: the cabinets' books, the cloud's and the provider's, held against each other.

Exit codes: 0 they agree; 1 they do not, and where is listed; 2 something could not be read.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cabinet.cli import show
from cabinet.cli.errors import BadInputError

if TYPE_CHECKING:
    from rich.text import Text

COUNTED = {
    "edge_events": "events at the cabinets", "cloud_events": "events at the cloud", "visits": "visits",
    "sold": "charges sold", "charges": "charges at the cloud", "waiting": "charges that still wait for the cloud",
    "newer": "charges newer than the given files", "open": "visits open now",
}  # fmt: skip  # a table


def audit(
    edge: Annotated[
        list[Path], typer.Option("--edge", metavar="FILE", help="A cabinet's ledger.db, or a copy; may be repeated.")
    ],
    ledger: Annotated[str, typer.Option("--ledger", metavar="URL", help="The cloud's database: a file, or a URL.")],
    provider: Annotated[
        Path | None, typer.Option("--provider", metavar="EXPORT", help="The provider's books as JSON lines.")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, max=10_000, help="Findings listed of each kind.")] = 20,
    json: show.AsJson = False,
) -> None:
    """Prove that nothing was lost, doubled, changed or forged between cabinets, cloud and provider, or list it.

    Only reads. It looks at the cabinets whose files are given; double-entry lines are looked at for all. Exit code 0:
    everything agrees; 1: it does not; 2: something could not be read.
    """
    from cabinet.audit import KINDS  # noqa: PLC0415  # databases, for this command only
    from cabinet.audit import audit as compare  # noqa: PLC0415  # likewise
    from cabinet.ledger import LedgerError  # noqa: PLC0415  # likewise

    try:
        told = compare(edge, ledger, provider, most).told()
    except LedgerError as error:
        raise BadInputError(str(error), "check the names, and who may read them") from error
    if json:
        show.as_json(told)
    else:
        _tell(told, {str(kind): words for kind, words in KINDS.items()})
    if not told["ok"]:
        raise typer.Exit(1)


def _tell(told: dict[str, Any], kinds: dict[str, str]) -> None:
    console = show.console()
    console.print(show.facts([(words, f"{told[name]:,}") for name, words in COUNTED.items()]))
    rows = [(kind, _number(told[kind]), words) for kind, words in kinds.items()]
    console.print(show.table("Audit", ["what", "n>", "that is"], rows))
    if told["findings"]:
        listed = [(one["kind"], one["visit"] or "-", one["what"], one["where"]) for one in told["findings"]]
        console.print(show.table("Found", ["what", "visit", "which", "where"], listed))
    else:
        show.done("0 lost, 0 doubled, 0 gaps, 0 forks: the books agree")


def _number(n: int) -> "Text":
    return show.text(f"{n:,}", "red" if n else "green")
