"""What the codes in a frame say: a member's card, a signed token, a technician's code, or nothing of ours."""

from collections import Counter
from collections.abc import Sequence

from cabinet.greeter.asking import Looking
from cabinet.greeter.doorway import Doorway, Offered, Service
from cabinet.identity.decide import UNKNOWN_CODE, Accepted, Decision, Refused, Undecided

CARD, TOKEN, TECHNICIAN = "CAB1:", "CAB2:", "CAB3:"
OURS = (CARD, TOKEN, TECHNICIAN)
UNKNOWN_CODES = 3  # frames with a code of ours that is nobody's


def by_code(
    texts: Sequence[str], looking: Looking, door: Doorway, counts: Counter[str]
) -> Decision | Offered | Service:
    """The first valid one decides; one that is nobody's is shown a few frames before it refuses."""
    shown = [text for text in texts if text.strip().upper().startswith(OURS)]
    counts["foreign codes"] += len(texts) - len(shown)
    why = UNKNOWN_CODE
    for text in shown:
        said = _one(text, door)
        if isinstance(said, Refused):
            why = said.why
        elif said is not None:
            return said
    if shown:
        looking.unknown_codes += 1
        counts["unknown codes"] += 1
        if looking.unknown_codes >= UNKNOWN_CODES:
            return Refused(why)
    return Undecided(looking.attempt)


def _one(text: str, door: Doorway) -> Accepted | Offered | Service | Refused | None:
    kind = text.strip().upper()[: len(CARD)]
    if kind == TECHNICIAN:
        return door.technician(text)
    if kind == TOKEN:
        return door.token(text)
    owner = door.card(text)
    return None if owner is None else Accepted(owner, "card")
