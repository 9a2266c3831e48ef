"""What may befall the parts of a bench, and what only the fast depth can do: that is refused before anything starts."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from cabinet.cli.demo.layout import cameras
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.scenery import LIGHTS, STREAM, Scenery
from cabinet.sim import acts as a
from cabinet.sim.rehearsal import rehearse
from cabinet.sim.story import Story, StoryError

LONGEST_PASS_S = 60.0
CELLS = {
    "dead": "cell_dead", "stuck": "cell_stuck", "saturated": "cell_saturated", "slipping": "cell_slipping",
    "spiking": "cell_spiking", "swapped": "cell_swapped_wires",
}  # fmt: skip
BOLTS = {"jams in": "bolt_jammed_in", "jams out": "bolt_jammed_out"}
PROBES = {"open": "probe_open", "short": "probe_short", "frozen": "probe_frozen"}
POSSIBLE = {
    "camera": {*LIGHTS, *STREAM, "well"},
    "cell": {*CELLS, "well"},
    "daemon": {"killed", "starts"},
    "board": {"resets", "is unplugged", "is plugged in"},
    "broker": {"away", "back"},
    "magnet": {"holds", "leaves"},
    "bolt": {*BOLTS, "is free"},
    "probe": {*PROBES, "well"},
    "air": {"is"},
    "light": {"goes out", "comes on"},
}
MEANS = frozenset({"face", "code", "other code", "forged code", "stranger"})


def refuse_impossible(story: Story) -> None:
    """Raises StoryError with the line that cannot happen at all, or not in real processes."""
    rehearse(story)
    if story.settings:
        raise StoryError(f"{story.name}: with {', '.join(story.settings)}: needs the fast depth")
    try:
        eyes = cameras(story.plan, [line.act for line in story.lines])
    except ValueError as error:
        raise StoryError(f"{story.name}: needs the fast depth: {error}") from error
    for line in story.lines:
        why = _why_not(line.act, eyes)
        if why:
            raise StoryError(f"{story.name} line {line.number}: {line.text!r}: needs the fast depth: {why}")


def _why_not(act: a.Act, eyes: Collection[str]) -> str:
    """Empty where a bench with these interior cameras can do it."""
    match act:
        case a.Pass(seconds) if seconds > LONGEST_PASS_S:
            return f"nobody waits {seconds:g} real seconds (at most {LONGEST_PASS_S:g})"
        case a.Count():
            return "the technician counts through the command line here"
        case a.Come(_, by) if by not in MEANS:
            return f"there are no pictures of a {by}"
        case a.Card(what="grants"):
            return "a sandbox in its own process knows cards that work and cards that decline"
        case a.Befall(part, what):
            kind, _, name = part.partition(":")
            if kind == "camera" and name not in eyes:
                return f"the interior cameras here are {', '.join(eyes)}"
            return "" if what in POSSIBLE.get(kind, set()) else f"a bench cannot do that to the {kind}"
        case _:
            return ""


@dataclass
class Misfortunes:
    bench: Bench
    scenery: Scenery
    started: Callable[[], None]  # the daemon is there (again)
    alive: bool = True  # the daemon
    broker: bool = True

    def befall(self, act: a.Befall) -> None:
        """Only what `refuse_impossible` let pass."""
        part, _, name = act.part.partition(":")
        match part:
            case "camera":
                self.scenery.befall(name, act.what)
            case "light":
                self.scenery.light(on=act.what == "comes on")
            case "cell":
                zone = self.bench.zones.index(name)
                for what, broken in CELLS.items():
                    self._break(broken, on=what == act.what, zone=zone)
            case "daemon":
                self._daemon(on=act.what == "starts")
            case "broker":
                self._broker(on=act.what == "back")
            case "board":
                do = {"resets": "reset", "is unplugged": "unplug", "is plugged in": "replug"}[act.what]
                self.bench.board.control({"do": do})
            case "magnet":
                self._break("magnet", on=act.what == "holds")
            case "bolt" | "probe":
                for what, broken in (BOLTS if part == "bolt" else PROBES).items():
                    self._break(broken, on=what == act.what)
            case "air":
                self.bench.board.control({"do": "temperature", "c": act.number})
            case _:
                raise AssertionError(f"nothing happens to {act.part}: {act.what}")

    def _break(self, what: str, *, on: bool, zone: int | None = None) -> None:
        answer = self.bench.board.control({"do": "break", "what": what, "on": on, "zone": zone})
        if not answer["ok"]:
            raise RuntimeError(f"the emulated board refused to break {what}: {answer['error']}")

    def _daemon(self, *, on: bool) -> None:
        if on and not self.alive:
            self.bench.start_daemon()
            self.alive = True
            self.started()
        elif not on and self.alive:
            self.bench.kill("daemon")
            self.alive = False

    def _broker(self, *, on: bool) -> None:
        if on != self.broker:
            (self.bench.broker.start if on else self.bench.broker.stop)()
            self.broker = on
