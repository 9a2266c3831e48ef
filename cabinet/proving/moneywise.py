"""Money in stories: what the screen says, what is given back, and what provider and books must say of the last charge.

The provider's own books are asked what was captured, never ours alone.
"""

from ulid import ULID

from cabinet import screenline
from cabinet.cloud.forgetting import sweep
from cabinet.ledger import Adjustment, EntryRefusedError, VisitRecord
from cabinet.proving.consent import Consents
from cabinet.proving.paying import PayingFarEnd
from cabinet.proving.stage import Stage
from cabinet.receipt import money
from cabinet.session.effects import Notice
from cabinet.sim import acts as a
from cabinet.sim.shop import CURRENCY

LOOK_S = 400.0  # so long for look-ups of what the provider did not answer


def screen(stage: Stage) -> str:
    """As cabinet.wiring.house puts it together."""
    if not stage.cabinet.notices:
        return ""
    notice = stage.cabinet.notices[-1]
    if notice is Notice.REFUSED:
        return screenline.refused(stage.greeter.refusal)
    record = next(iter(stage.cabinet.ledger.visits(limit=1)), None)
    return screenline.line(notice, 0 if record is None else record.total_minor, CURRENCY)


def refunded(stage: Stage, act: a.Refund) -> str:
    """Why not; empty where it was written down."""
    charged = _charged(stage)
    if charged is None or stage.far_end is None:
        return "nobody was charged"
    if act.by == "cloud":
        return stage.far_end.refund(charged.visit, act.back_minor)
    stamp = stage.cabinet.wall.stamp()
    name = str(ULID.from_bytes(stage.dice.randbytes(16)))
    change = Adjustment(name, charged.visit, "refund", "told", "technician", act.back_minor)
    try:
        stage.cabinet.ledger.adjust(change, stamp)
    except EntryRefusedError as error:
        return str(error)
    return ""


def wrong_money(stage: Stage, act: a.Expect) -> str:
    """What is sent while the line is up is sent first, and what the provider owes an answer for is looked up."""
    far_end = stage.far_end
    if far_end is None or not stage.cabinet.alive:
        return "there is no far end"
    _settle(stage, far_end)
    if act.what == "owes":
        owes = far_end.owes_minor(act.text)
        return "" if owes == act.number else f"{act.text} owes {_told(owes)}"
    if act.what == "released":
        held = [row for row in far_end.provider.every() if row["status"] == "held"]
        return "" if not held else f"{_told(sum(row['amount_minor'] for row in held))} is held"
    charged = _charged(stage)
    if charged is None:
        return "nobody was charged"
    rows = far_end.provider.asked_for(charged.visit)
    column = "captured_minor" if act.what == "captured" else "refunded_minor"
    found = sum(int(row[column]) for row in rows)
    return "" if found == act.number else f"the provider has {act.what} {_told(found)}"


def wrong_kept(stage: Stage, consents: Consents, who: str) -> str:
    """What is sent while the line is up is sent first; the wallet of whom was erased goes once nothing is owed."""
    if stage.far_end is not None and stage.cabinet.alive:
        _settle(stage, stage.far_end)
        sweep(stage.far_end.store.books, stage.far_end.now_ms())  # the far end's patrol
    return consents.kept(who)


def _settle(stage: Stage, far_end: PayingFarEnd) -> None:
    cabinet = stage.cabinet
    if stage.luck.wire != "away":
        far_end.deliver(cabinet.ledger, cabinet.wall.stamp(), bad=stage.luck.wire == "loses answers")
    until_s = stage.time.now_s + LOOK_S
    while (due_ms := far_end.next_ms()) is not None and not far_end.provider.away:
        wait_s = (due_ms - far_end.now_ms()) / 1000
        if stage.time.now_s + wait_s > until_s:
            return
        stage.run_for(max(wait_s, 0.01))
        far_end.work()


def _charged(stage: Stage) -> VisitRecord | None:
    """The last visit that was charged."""
    return next((one for one in stage.cabinet.ledger.visits(limit=1000) if one.outcome == "charge"), None)


def _told(minor: int) -> str:
    return money(minor, CURRENCY)
