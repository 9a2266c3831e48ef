"""The real ledger, sender and cloud service on a bad wire, writing down each protocol step in the model's numbers.

What was freed or stored is read from the databases, not from what the code says of itself.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from cabinet import wire
from cabinet.cloud.service import CloudService
from cabinet.cloud.store import CloudStore
from cabinet.ledger import Ledger, OutboxRow
from cabinet.session.states import Idle, Unlocked
from cabinet.uplink.core import Message, Sender
from tests.ledger.examples import ANNA, charged, opened, visit_id
from tests.uplink.world import CAB, KEY, WALL_MS, Weather, World

OPENED, UNLOCKED, CLOSED, HELLO, SENT, STORED, DUPLICATE = 1, 2, 3, 4, 5, 7, 8
ACK_SAID, SINGLE_SAID, WELCOME_SAID, STALE_SAID = 9, 10, 11, 12
ACK_HEARD, SINGLE_HEARD, WELCOME_HEARD, FOREIGN_HEARD = 13, 14, 15, 16
POWER_CUT, OFFLINE, COPIED, PUT_BACK, CLONED, CLOUD_CRASH, CLOUD_COPIED, CLOUD_RESTORED, CHARGED = range(17, 26)
WELCOMED, REOPENED, DOUBTED, SPLIT, STUCK = 1, 2, 3, 4, 5


@dataclass(slots=True)
class Cabinet:
    """What a cabinet has of its own; `World` knows of one at a time."""

    ledger: Ledger
    sender: Sender
    open: int | None


class RecordedWorld(World):
    def __init__(self, folder: Path, seed: int, weather: Weather) -> None:
        super().__init__(folder, seed, weather)
        self.steps: list[tuple[int, ...]] = []
        self.row_of: dict[str, int] = {wire.GENESIS: 0}  # by hash
        self.store_of: dict[str, int] = {self.ledger.store: 1}
        self.open: int | None = None
        self.copied_open: int | None = None
        self.me = 0
        self._others: dict[int, Cabinet] = {}  # the clone, or the first while the clone acts

    def cabinets(self) -> list[int]:
        return sorted([self.me, *self._others])

    def act(self, me: int) -> None:
        """From now on as this cabinet."""
        if me != self.me:
            self._others[self.me] = Cabinet(self.ledger, self.sender, self.open)
            other = self._others.pop(me)
            self.me, self.ledger, self.sender, self.open = me, other.ledger, other.sender, other.open

    def note(self, *step: int) -> None:
        self.steps.append(step)

    def book(self) -> list[OutboxRow]:
        """Our rows, the oldest first."""
        return self.ledger.outbox(1000)[::-1]

    def freed(self) -> set[int]:
        return {row.seq for row in self.book() if row.acked_at_ms is not None}

    def learn_rows(self) -> OutboxRow:
        """Number what was committed just now; returns the newest."""
        for row in self.book():
            self.row_of.setdefault(row.h, len(self.row_of))
        return self.book()[-1]

    def open_visit(self) -> None:
        self.visits += 1
        self.open = self.visits
        self.ledger.commit(Unlocked(visit_id(self.open), ANNA, 12.5), [opened(self.open)], self.stamp())
        self._appended(OPENED, self.open)

    def unlock(self) -> None:
        assert self.open is not None
        self.note(UNLOCKED, self.me, self.open)

    def close_visit(self) -> None:
        assert self.open is not None
        self.ledger.commit(Idle(), [charged(self.open)], self.stamp())
        self._appended(CLOSED, self.open)
        self.open = None

    def _appended(self, kind: int, visit: int) -> None:
        row = self.learn_rows()
        self.note(kind, self.me, self.row_of[row.h], self.store_of[row.store], row.seq, self.row_of[row.prev], visit)

    def disconnect(self) -> None:
        super().disconnect()
        self.note(OFFLINE, self.me)

    def crash_edge(self) -> None:
        super().crash_edge()
        self.note(POWER_CUT, self.me)

    def crash_cloud(self) -> None:
        super().crash_cloud()
        self.note(CLOUD_CRASH, 0)

    def take_copy(self) -> None:
        self.ledger.close()
        shutil.copy(self.folder / "edge.db", self.folder / "copy.db")
        self.ledger = Ledger(self.folder / "edge.db")
        self.sender = self._new_sender()
        self.copied_open = self.open
        self.note(COPIED, self.me)
        self.note(POWER_CUT, self.me)

    def clone(self) -> None:
        """The copy runs beside us, under our name."""
        shutil.copy(self.folder / "copy.db", self.folder / "clone.db")
        self.note(CLONED, 0)
        ledger = Ledger(self.folder / "clone.db")
        self._others[1] = Cabinet(ledger, Sender(ledger, KEY, CAB, dice=self.dice, version="1"), self.copied_open)
        self.act(1)
        self.connect()
        self.act(0)

    def copy_cloud(self) -> None:
        self.cloud_store.close()
        shutil.copy(self.folder / "cloud.db", self.folder / "cloud-copy.db")
        self.note(CLOUD_COPIED, 0)
        self._open_cloud()

    def restore_cloud(self) -> None:
        self.cloud_store.close()
        shutil.copy(self.folder / "cloud-copy.db", self.folder / "cloud.db")
        self.note(CLOUD_RESTORED, 0)
        self._open_cloud()

    def _open_cloud(self) -> None:
        self.cloud_store = CloudStore(self.folder / "cloud.db")
        self.cloud = CloudService(self.cloud_store, {CAB: KEY})

    def put_back(self) -> None:
        self.ledger.close()
        shutil.copy(self.folder / "copy.db", self.folder / "edge.db")
        self.ledger = Ledger(self.folder / "edge.db")
        self.sender = self._new_sender()
        self.open = self.copied_open
        self.note(PUT_BACK, self.me)

    def say(self, messages: list[Message]) -> None:
        for message in messages:
            said = wire.parse(message.payload)
            if message.kind == "hello":
                freed, upto = self.freed(), 0
                while upto + 1 in freed:
                    upto += 1
                self.note(HELLO, self.me, self.store_of[said["store"]], self.row_of[said["h"]], upto)
            elif message.kind == "ev":
                self.note(SENT, self.me, self.row_of[said["h"]])
        super().say(messages)

    def run(self, for_ms: int) -> None:
        if not self._others:
            super().run(for_ms)
            return
        end_ms = self.now_ms + for_ms
        while self.now_ms < end_ms:  # both in turn, in steps short against every timer
            for me in self.cabinets():
                self.act(me)
                self.say(self.sender.wake(self.stamp()))
            self.act(0)
            for reply in self.cloud.tick(self.now_ms):
                self.fly(reply.topic, reply.payload)
            self.now_ms += 100
            self._land()

    def note_charges(self) -> None:
        charged = self.charged()
        for visit in range(1, self.visits + 1):
            self.note(CHARGED, visit, charged.count(visit_id(visit)))

    def close(self) -> None:
        for other in self._others.values():
            other.ledger.close()
        super().close()

    def _land(self) -> None:
        landing = [flown for flown in self.flying if flown[0] <= self.now_ms]
        self.flying = [flown for flown in self.flying if flown[0] > self.now_ms]
        for _, topic, payload in landing:
            if "/up/" in topic:
                self._at_cloud(topic, payload)
            else:
                for me in self.cabinets():
                    self.act(me)
                    self._at_cabinet(topic, payload)
                self.act(0)

    def _at_cloud(self, topic: str, payload: bytes) -> None:
        said, before = wire.parse(payload), self.cloud.counts["duplicate"]
        replies = self.cloud.heard(topic, payload, mono_ms=self.now_ms, wall_ms=WALL_MS + self.now_ms)
        if topic.endswith("/ev"):
            row = self.row_of[said["h"]]
            mark = self.row_of[self.cloud_store.mark(CAB, said["store"]).h]
            self.note(*((DUPLICATE, row) if self.cloud.counts["duplicate"] > before else (STORED, row, mark)))
        if self.dice.random() < 0.05:  # between the commit and the answers
            self.crash_cloud()
            return
        for reply in replies:
            self._answered(reply.topic, wire.parse(reply.payload))
            self.fly(reply.topic, reply.payload)

    def _answered(self, topic: str, said: wire.Payload) -> None:
        if topic.endswith("/ack"):
            self.note(ACK_SAID, self.store_of[said["store"]], self.row_of[said["h"]])
            for one in said["selective"]:
                self.note(SINGLE_SAID, self.row_of[one["h"]])
        elif topic.endswith("/welcome"):
            mark = self.row_of[said["h"]]
            senders = {self.me: self.sender} | {me: other.sender for me, other in self._others.items()}
            asked = [me for me, sender in senders.items() if said["nonce"] and said["nonce"] == sender._nonce]
            step = (WELCOME_SAID, asked[0], 1, mark) if asked else (STALE_SAID, self.store_of[said["store"]], mark)
            self.note(*step)

    def _at_cabinet(self, topic: str, payload: bytes) -> None:
        said, freed, store = wire.parse(payload), self.freed(), self.ledger.store
        nonce, splits = self.sender._nonce, self.sender.counts["split"]
        messages = self.sender.heard(topic, payload, self.stamp())
        if said["store"] != store:
            self.note(FOREIGN_HEARD, self.me)
        elif topic.endswith("/ack"):
            self._ack_heard(said, self.freed() - freed)
        elif topic.endswith("/welcome"):
            fresh = nonce is not None and said["nonce"] == nonce
            self._welcome_heard(said, freed, fresh=fresh, split=self.sender.counts["split"] > splits)
        self.say(messages)

    def _ack_heard(self, said: wire.Payload, newly: set[int]) -> None:
        if said["upto"]:
            self.note(ACK_HEARD, self.me, self.row_of[said["h"]], sum(seq <= said["upto"] for seq in newly))
        for one in said["selective"]:
            alone = one["seq"] > said["upto"] and one["seq"] in newly
            self.note(SINGLE_HEARD, self.me, self.row_of[one["h"]], int(alone))

    def _welcome_heard(self, said: wire.Payload, before: set[int], *, fresh: bool, split: bool) -> None:
        step = (WELCOME_HEARD, self.me, self.row_of[said["h"]], int(fresh))
        if split:
            renewed = self.ledger.store not in self.store_of
            self.store_of.setdefault(self.ledger.store, len(self.store_of) + 1)
            self.note(*step, SPLIT if renewed else STUCK, self.row_of[self.learn_rows().h] if renewed else 0)
            return
        after = self.freed()
        doubted = not fresh and said["hwm"] < max(before, default=0)
        outcome = DOUBTED if doubted else REOPENED if before - after else WELCOMED
        self.note(*step, outcome, len(after - before))
