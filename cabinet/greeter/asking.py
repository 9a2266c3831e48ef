"""What whoever stands before the camera is asked, and the words for it."""

from dataclasses import dataclass, field
from typing import Final, Literal

from cabinet.identity.decide import AskConfirm, AskDigits, AskTurn, Attempt
from cabinet.identity.liveness import Move
from cabinet.identity.outcomes import LowQuality
from cabinet.units import VisitId

Asked = Literal["nothing", "digits", "confirm", "turn"]

STEP_UP: Final = "Please step in front of the camera."
ONE_ONLY: Final = "There are several of you: will one of you look at the camera, please?"
DIGITS: Final = "Please type the last four digits of your telephone number."
AGAIN: Final = "Those are not the digits we know. Please try again."
CONFIRM: Final = "Shall the door open for you, who stands nearest? You will pay for what is taken."
TURNS: Final[dict[Move, str]] = {
    "left": "Please turn your head to your left, and back.",
    "right": "Please turn your head to your right, and back.",
}
QUALITY: Final = {
    "too far": "Please come a little nearer.",
    "too dark": "It is too dark to see you: a little more light, or show your code.",
    "too bright": "The light is too bright: please move a little, or show your code.",
    "blurred": "Please hold still for a moment.",
    "turned away": "Please look at the camera.",
    "cut off": "Please step back a little.",
    "no contrast": "We cannot see you well: please move a little, or show your code.",
}


@dataclass
class Looking:
    """One attempt to find out who is there."""

    visit: VisitId
    attempt: Attempt = field(default_factory=Attempt)
    asked: Asked = "nothing"
    hint: str = ""
    unknown_codes: int = 0
    doubted: bool = False  # the slower network has had its say
    confirmed: bool = False
    busy: bool = False  # an answer is on its way: nothing else decides meanwhile
    owes: bool = False  # the till has refused: each try asks the card again
    answered: bool = False


def words(question: AskDigits | AskConfirm | AskTurn, move: Move | None = None) -> str:
    match question:
        case AskDigits(attempt):
            return AGAIN if attempt.tries else DIGITS
        case AskConfirm():
            return CONFIRM
        case AskTurn():
            return "" if move is None else TURNS[move]


def better(bad: LowQuality) -> str:
    return QUALITY[bad.why]
