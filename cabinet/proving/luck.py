"""What befalls the parts of a staged cabinet, and how all of it is mended again.

Cameras, cells, disk and air are told to the daemon as its caretaker and board would tell them, within a second; what
happens to board, power and process happens to the simulated ones.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from cabinet.session.states import Idle
from cabinet.sim import acts as a
from cabinet.sim.cells import Broken
from cabinet.units import CameraId, Sku, ZoneId

if TYPE_CHECKING:
    from cabinet.proving.stage import Stage

TOLD_S = 0.6  # a camera is looked at twice a second, a cell's fault is raised within one
FROZEN_S = 60.0  # no count of change for so long: fault 19
MENDED_S = 0.7
DISK_S = 5.0  # half the time between two looks of the caretaker
MORE_THAN_ANY_MIB = 1 << 40
PROBE_S = 5.0  # between two readings of the thermometer

CAMERA_TROUBLES = {
    "covered": "the picture is covered: look what is before the lens",
    "frozen": "the picture is frozen: unplug the camera and plug it in again",
    "dark": "the picture is dark: look at the lens and the lamp",
    "moved": "the picture is moved: put it back",
    "fogged": "the picture is fogged: wipe the lens",
    "away": "no frames: look at its cable",
}
CELL_TROUBLES = {
    "dead": "only bad samples (no conversion)",
    "stuck": "the cell is stuck: every sample is the same",
    "saturated": "only bad samples (saturated)",
    "slipping": "more than 10 of the last 80 samples slipped",
    "spiking": "more than 10 of the last 80 samples spiked",
    "swapped": "",  # nothing tells it but the masses
}


class Luck:
    def __init__(self, stage: "Stage") -> None:
        self.stage = stage
        self.blind: set[CameraId] = set()
        self.powered = True
        self.wire = "back"
        self._troubles: dict[str, str] = {}  # part -> why: told to each new daemon
        self._air_c: float | None = None

    def tell_again(self) -> None:
        """To a daemon that has just started: what is still wrong."""
        for part, why in self._troubles.items():
            self.report(part, why)

    def befall(self, act: a.Befall) -> None:  # noqa: C901, PLR0912, PLR0915  a table: one case per misfortune
        """Let it happen to the part."""
        part, _, name = act.part.partition(":")
        stage = self.stage
        cabinet, board = stage.cabinet, stage.board
        match part, act.what:
            case "camera", what:
                self.camera(CameraId(name), what)
            case "cell", what:
                self.cell(ZoneId(name), what)
            case "daemon", "killed":
                stage.kill()
            case "daemon", "killed at the next step":
                cabinet.fuse.burn(1)
            case "daemon", "killed after":
                cabinet.fuse.burn(round(act.number))
            case "daemon", "starts":
                if not cabinet.alive and self.powered:
                    stage.boot()
            case "power", "fails":
                self.power(on=False)
            case "power", "returns":
                self.power(on=True)
            case "board", "resets":
                stage.notebook.deafen()
                board.reset()
                stage.time.after(0.5, lambda: stage.notebook.hear("board") if cabinet.alive else None)
            case "board", "is unplugged":
                stage.notebook.deafen()
                board.unplug()
            case "board", "is plugged in":
                board.replug()
                stage.notebook.hear("board")
            case "disk", what:
                self.fill_disk(full=what != "has room", wholly="byte" in what)
            case "clock", "jumps":
                cabinet.wall.offset_ms += round(1000 * act.number)
            case "clock", "lost":
                cabinet.wall.offset_ms, cabinet.wall.trusted = 0, False
            case "magnet", what:
                board.set_magnet(what == "holds")
            case "bolt", what:
                board.set_jam({"jams in": "in", "jams out": "out", "is free": ""}[what])
            case "compressor", "starts":
                stage.cells.compressor.append((stage.time.now_s, float("inf")))
            case "compressor", _:
                now_s = stage.time.now_s
                stage.cells.compressor = [(a_s, min(b_s, now_s)) for a_s, b_s in stage.cells.compressor]
            case "light", what:
                self.light(on=what == "comes on")
            case "air", _:
                self.warm(act.number)
            case "probe", what:
                why = None if what == "well" else f"the thermometer is {what}"
                stage.time.after(FROZEN_S if what == "frozen" else TOLD_S, lambda: self.trouble("probe", why))
            case "model", what:
                self.trouble("recogniser", None if what == "well" else "the item model is missing: restore models/item")
            case "price", _:
                old = cabinet.ledger.catalog()[Sku(name)]
                cabinet.ledger.put_product(Sku(name), replace(old, unit_price=round(act.number)))
            case "catalogue", _:
                for sku in list(cabinet.ledger.catalog()):
                    cabinet.ledger.remove_product(sku)
                self.trouble("catalogue", "is empty: cabinet catalog add SKU --name ...")
            case "broker", what:
                self.broker(what)
            case "provider", what:
                if stage.far_end is not None:
                    stage.far_end.provider.away = what == "away"
            case _:
                raise AssertionError(f"nothing happens to {act.part}: {act.what}")
        stage.changed()

    def power(self, *, on: bool) -> None:
        """Computer and board; the coil lets go with the current."""
        self.powered = on
        self.stage.kill()
        if on:
            self.stage.board.wake()
            self.stage.boot()
        else:
            self.stage.board.unplug()
            self.stage.board.let_go()

    def mend(self) -> None:
        """Everything is in order again, the power on and the daemon alive."""
        self.stage.cabinet.fuse.left = None
        if self.stage.far_end is not None:
            self.stage.far_end.provider.away = False
        if not self.powered:
            self.power(on=True)
        if self.stage.notebook.disk_full or self.stage.cabinet.disk_full:
            self.fill_disk(full=False)
        if not self.stage.cabinet.alive:
            self.stage.boot()
        if not self.stage.board.plugged:
            self.stage.board.replug()
        if self.stage.notebook.is_deaf:
            self.stage.notebook.hear("board")
        if self.stage.board.magnet:
            self.stage.board.set_magnet(False)
        if self.stage.board.jam:
            self.stage.board.set_jam("")
        for zone, history in self.stage.cells.histories.items():
            if any(broken.t1 > self.stage.time.now_s for broken in history.broken):
                self.cell(zone, "well")
        self.stage.world.light = 1.0
        for camera in list(self.blind):
            self.camera(camera, "well")
        for part in list(self._troubles):
            self.trouble(part, None)
        self.stage.settle()
        if self.blind or self._troubles or not isinstance(self.stage.cabinet.state, Idle):
            self.stage.run_for(MENDED_S)

    def trouble(self, part: str, why: str | None) -> None:
        """A part fails (or is well again), and stays so over restarts."""
        if why is None:
            self._troubles.pop(part, None)
        else:
            self._troubles[part] = why
        self.report(part, why)

    def report(self, part: str, why: str | None) -> None:
        if self.stage.cabinet.alive:
            self.stage.cabinet.parts.report(part, why)
            self.stage.settle()

    def camera(self, name: CameraId, what: str) -> None:
        """As the caretaker would tell within a second; it is `well`, or a word of CAMERA_TROUBLES."""
        if self.stage.notebook.page is not None:
            self.stage.notebook.page.blind.append((self.stage.notebook.page.t(self.stage.time.now_s), name, what))
        if what == "well":
            self.blind.discard(name)
        else:
            self.blind.add(name)
        self.stage.time.after(TOLD_S, lambda: self.trouble(f"camera:{name}", CAMERA_TROUBLES.get(what)))

    def light(self, *, on: bool) -> None:
        """The lamp inside: without it no interior camera sees anything."""
        self.stage.world.light = 1.0 if on else 0.0
        for name in self.stage.plan.cameras:
            self.camera(name, "well" if on else "dark")

    def cell(self, zone: ZoneId, what: str) -> None:
        """As the board would tell within a second."""
        history, now_s = self.stage.cells.histories[zone], self.stage.time.now_s
        history.broken = [b if b.t1 < now_s else Broken(b.t0, now_s, b.flaw) for b in history.broken]
        if what != "well":
            history.broken.append(Broken(now_s, float("inf"), what))  # type: ignore[arg-type]  # a word of the story
        why = CELL_TROUBLES.get(what) or None
        self.stage.time.after(TOLD_S, lambda: self.trouble(f"scale:{zone}", why))

    def fill_disk(self, *, full: bool, wholly: bool = False) -> None:
        """Nothing can be recorded, and `wholly`: the ledger cannot write either.  The caretaker notices within 10 s."""
        self.stage.cabinet.fill(full=full and wholly)
        self.stage.notebook.disk_full = full
        self.stage.cabinet.needed_mib = MORE_THAN_ANY_MIB if full else 0
        if not self.stage.settings.caring:
            self.stage.time.after(DISK_S, lambda: self.trouble("disk", "0 MiB free, 64 needed" if full else None))

    def broker(self, what: str) -> None:
        """`away`, `loses answers` or `back`: then everything that waits is sent; before `away` it has been."""
        line_was, self.wire = self.wire, what
        quality = line_was if what == "away" else what
        if self.stage.far_end is not None and self.stage.cabinet.alive and quality != "away":
            self.stage.far_end.deliver(
                self.stage.cabinet.ledger, self.stage.cabinet.wall.stamp(), bad=quality == "loses answers"
            )

    def warm(self, celsius: float) -> None:
        """The air has this temperature (°C) from now on; the probe tells it every five seconds."""
        first, self._air_c = self._air_c is None, celsius
        if first:
            self._tell_air()

    def _tell_air(self) -> None:
        if self.stage.cabinet.alive and self._air_c is not None:
            self.stage.cabinet.nerves.temperature("air", self._air_c)
        self.stage.time.after(PROBE_S, self._tell_air)
