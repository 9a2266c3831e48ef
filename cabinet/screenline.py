"""The one line that the shopper reads, in words.  Knows no money beyond the total it is given."""

from cabinet.receipt import money
from cabinet.session.effects import Notice

LINES: dict[Notice, str] = {
    Notice.READY: "Look at the camera or show your code.",
    Notice.LOOKING: "One moment, looking for you…",
    Notice.WELCOME: "Welcome. The door is open for you: pull.",
    Notice.REFUSED: "Not recognised. Show your code, or try again.",
    Notice.SHOPPING: "Take what you like, then close the door.",
    Notice.CLOSE_DOOR: "Please close the door.",
    Notice.TALLYING: "Thank you. Working out your bill…",
    Notice.THANKS: "Thank you. {total} will be charged.",
    Notice.NOTHING_TAKEN: "Nothing taken, nothing charged. Until next time.",
    Notice.REVIEW: "Thank you. A person will check this visit and tell you the amount.",
    Notice.SERVICE: "Service. Not for sale just now.",
    Notice.OUT_OF_SERVICE: "Out of order. Sorry: please try another time.",
}


def line(notice: Notice, total_minor: int, currency: str) -> str:
    return LINES[notice].format(total=f"{currency} {money(total_minor, currency)}")
