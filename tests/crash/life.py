"""One visit from the first greeting to the last acknowledgement, in a process that may be killed at any syscall.

Shell, machine, ledger, tally and the uplink's conversation are the product's; the world is simulated, on virtual time.
The cloud is another process at the end of a socket.  What the cabinet is about to do is written to `told.log` first,
so that whoever looks afterwards knows what the world may have seen.

After a death the world is played again up to the point that was told last, on a scratch ledger; there the process ends
and starts anew on the ledger that the death left behind.
"""

import json
import os
import random
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cabinet.ledger import LedgerError, Stamp
from cabinet.proving.cabinet import FastCabinet
from cabinet.proving.far_end import FarEnd
from cabinet.proving.mishaps import Fuse
from cabinet.proving.player import Player
from cabinet.proving.stage import Stage
from cabinet.proving.watchman import Watchman
from cabinet.session.states import open_visit
from cabinet.sim import shop, story
from cabinet.uplink.core import Message, Sender
from tests.crash.record import TOLD

SEED: Final = 7
BEGIN: Final = ("ann comes", "ann opens", "ann takes cola from s1")
END: Final = ("ann closes",)
ENDED_BY_LEDGER: Final = 3  # exit code of a process that could not open its ledger


@dataclass
class Telling(Fuse):
    """A fuse that says where it is before it burns on."""

    fd: int = -1
    cabinet: FastCabinet | None = None

    def point(self, name: str) -> None:
        cabinet = self.cabinet
        if self.fd >= 0 and cabinet is not None:
            daemon = getattr(cabinet, "daemon", None)
            visit = None if daemon is None else open_visit(daemon.state)
            told = {"n": self.points + 1, "point": name, "boot": cabinet.boots, "visit": visit}
            os.write(self.fd, json.dumps(told).encode() + b"\n")
        super().point(name)


@dataclass
class Relay(Fuse):
    """A fuse that has the next life begin on another ledger."""

    cabinet: FastCabinet | None = None
    path: Path = Path()

    def point(self, name: str) -> None:
        if self.left == 1:
            self.hand_over()
        super().point(name)

    def hand_over(self) -> None:
        if self.cabinet is not None:
            self.cabinet.path = self.path


class Wire(FarEnd):
    """The conversation over a socket: the cloud outlives whoever talks to it."""

    def __init__(self, cloud: socket.socket) -> None:  # not FarEnd's: there is no database on this side
        self.dice = random.Random(SEED)
        self._cloud, self._answers = cloud, cloud.makefile("rb")

    def _carry(self, message: Message, sender: Sender, stamp: Stamp, *, bad: bool) -> list[Message]:
        asked = {"kind": message.kind, "payload": message.payload.decode(), "at": [stamp.mono_ms, stamp.wall_ms]}
        self._cloud.sendall(json.dumps(asked).encode() + b"\n")
        answers: list[Message] = []
        for topic, payload in json.loads(self._answers.readline()):
            answers += sender.heard(topic, payload.encode(), stamp)
        return answers


def live(folder: Path, cloud: socket.socket) -> None:
    """The first life, told.  LedgerError where it could not begin."""
    stage = Stage(folder, shop.usual(), random.Random(SEED), ledger=folder / "ledger.db")
    told = os.open(folder / TOLD, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    stage.cabinet.fuse = Telling(fd=told, cabinet=stage.cabinet)
    _play(stage, lambda: _deliver(stage, cloud))


def live_on(folder: Path, cloud: socket.socket, stocked: Path) -> None:
    """What follows after the death that `told.log` and the ledger tell of."""
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    shutil.copy(stocked, scratch / "ledger.db")
    points = sum(point["boot"] == 1 for point in points_of(folder))  # later starts failed as well, or did nothing
    stage = Stage(scratch, shop.usual(), random.Random(SEED), ledger=scratch / "ledger.db")
    relay = Relay(cabinet=stage.cabinet, path=folder / "ledger.db", left=points or None)
    stage.cabinet.fuse = relay
    if not points:
        relay.hand_over()
    _play(stage, lambda: _deliver(stage, cloud) if stage.cabinet.path == relay.path else None)
    if stage.cabinet.path != relay.path:  # it died after its last word
        stage.kill()
        relay.hand_over()
        stage.boot()
    _rest(stage)
    _deliver(stage, cloud)
    stage.cabinet.close()


def _play(stage: Stage, deliver: Callable[[], None]) -> None:
    plan = shop.usual()
    player = _player(stage)
    stage.start()
    player.play(story.parse("\n".join(BEGIN), "begin", "begin", plan))
    deliver()
    player.play(story.parse("\n".join(END), "end", "end", plan))
    player.end()
    _rest(stage)
    deliver()
    stage.cabinet.close()


def _rest(stage: Stage) -> None:
    """A cabinet that ended is started again, as systemd does; then it comes to rest."""
    if not stage.cabinet.alive:
        stage.boot()
    _player(stage).end()


def _player(stage: Stage) -> Player:
    """Without the watchman's looks: he does not know of visits that another life has opened."""
    player = Player(stage, Watchman(stage), told=False)
    stage.changed = lambda: None
    return player


def _deliver(stage: Stage, cloud: socket.socket) -> None:
    """A ledger that fails under the uplink ends the process as well; systemd starts it again."""
    if not stage.cabinet.alive:
        return
    for _ in range(2):
        try:
            Wire(cloud).deliver(stage.cabinet.ledger, stage.cabinet.wall.stamp(), bad=False)
        except LedgerError:
            stage.kill()
            stage.boot()
        else:
            return


def points_of(folder: Path) -> list[dict[str, object]]:
    """What the first life told, in order; the last line may be torn."""
    path = folder / TOLD
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]
