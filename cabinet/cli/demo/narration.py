"""What the demonstration says while it runs: the shopper's side, the machine's side, and what passes the broker."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.panel import Panel

QUIET_EFFECTS = frozenset({"Show", "StopLooking", "EndTrace", "StartTrace"})


class Narration:
    """Lines from several threads, each with the seconds since the beginning."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._began_s = time.monotonic()
        self._one_at_a_time = threading.Lock()
        self.names: dict[str, str] = {}  # SKU -> name

    def chapter(self, title: str) -> None:
        with self._one_at_a_time:
            self.console.print()
            self.console.rule(f"[bold]{title}")

    def shopper(self, text: str) -> None:
        self._line("[bold cyan]shopper [/]", text)

    def note(self, text: str) -> None:
        self._line("[dim]demo    [/]", text)

    def good(self, text: str) -> None:
        self._line("[bold green]right   [/]", text)

    def bad(self, text: str) -> None:
        self._line("[bold red]WRONG   [/]", text)

    def masses(self, zones: Mapping[str, Mapping[str, Any]]) -> None:
        told = ", ".join(f"{zone} {facts['g']:.0f} g" for zone, facts in zones.items() if facts["g"] is not None)
        self._line("[yellow]cells   [/]", told or "swinging")

    def receipt(self, text: str) -> None:
        with self._one_at_a_time:
            self.console.print(Panel.fit(text, title="receipt", border_style="green"))

    def machine(self, happening: Mapping[str, Any]) -> None:
        """One line of the daemon's live view."""
        match happening.get("type"):
            case "step" if happening["before"] != happening["after"]:
                did = [name for name in happening["effects"] if name not in QUIET_EFFECTS]
                doing = f"  [dim]{', '.join(did)}[/]" if did else ""
                self._line(
                    "[magenta]cabinet [/]",
                    f"{happening['before']} → [bold]{happening['after']}[/]  ({happening['event']}){doing}",
                )
            case "notice":
                self._line("[blue]screen  [/]", f"“{happening['screen']}”")
            case "interim" if happening["interim"] is not None:
                self._line("[blue]screen  [/]", f"“{happening['screen']}”")
            case "sighting":
                scores: Mapping[str, float] = happening["scores"]
                best = max(scores, key=lambda sku: scores[sku], default=None)
                if best is not None and scores[best] > happening["other"]:
                    name = self.names.get(best, best)
                    said = f"{happening['zone']}: {happening['action']} {name} ({scores[best]:.0%})"
                    self._line("[yellow]camera  [/]", said)
            case "part" if not happening["ok"]:
                self._line("[red]part    [/]", f"{happening['part']}: {happening['why']}")
            case _:
                pass

    def broker(self, kind: str, payload: Mapping[str, Any]) -> None:
        """One MQTT message."""
        match kind:
            case "up/ev":
                body = payload.get("body", {})
                total = body.get("total_minor")
                money = f", {body.get('outcome')}, {total} {body.get('currency')}" if total is not None else ""
                self._line("[green]mqtt ↑  [/]", f"{kind} seq {payload.get('seq')} {payload.get('type')}{money}")
            case "dn/ack":
                self._line("[green]mqtt ↓  [/]", f"{kind} up to seq {payload.get('upto')}")
            case "up/ask":
                self._line("[green]mqtt ↑  [/]", f"{kind} may this member shop?  Hold {payload.get('hold_minor')}")
            case "dn/terms" if payload.get("granted"):
                self._line("[green]mqtt ↓  [/]", f"{kind} yes, {payload.get('hold_minor')} are held")
            case "dn/terms":
                self._line("[green]mqtt ↓  [/]", f"{kind} no: {payload.get('why')}")
            case "up/hello" | "dn/welcome":
                self._line("[green]mqtt    [/]", kind)
            case "up/telemetry" if payload.get("kind") == "visit":
                took = payload.get("t_close_to_verdict_ms")
                self._line("[green]mqtt ↑  [/]", f"{kind} visit {payload.get('outcome')}, door to bill {took} ms")
            case _:
                pass

    def _line(self, who: str, text: str) -> None:
        with self._one_at_a_time:
            self.console.print(f"[dim]{time.monotonic() - self._began_s:5.1f}[/] {who} {text}", highlight=False)
