"""The one line that the shopper reads, in words.  Knows no money beyond the total it is given."""

from cabinet.basket.verdict import Interim
from cabinet.identity import credit, decide, risk
from cabinet.receipt import money
from cabinet.session.effects import Notice

MOST_NAMED = 4  # products; a line is short

LINES: dict[Notice, str] = {
    Notice.READY: "Look at the camera or show your code.",
    Notice.LOOKING: "One moment, looking for you…",
    Notice.ASKED: "One question, please.",
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
NO_PROOF_OF_AGE = "Sold with a proof of age only: show one to the operator first."

OLD_CODE = "Your code is from another moment: please scan the one on this screen and show the new one."

REFUSALS: dict[str, str] = {
    decide.NO_PROOF_OF_AGE: NO_PROOF_OF_AGE,
    credit.UNPAID: "You still owe for an earlier visit: please pay in the app.",
    credit.DENIED: "Sorry, you cannot shop here. Please ask the operator.",
    credit.DECLINED: "Your card was declined: please look at it in the app.",
    credit.NO_WALLET: "We know no way for you to pay: please add one in the app.",
    credit.OLD_ROSTER: "No connection for too long. Sorry: please try another time.",
    credit.MEMBER_LIMIT: "No connection, and earlier visits of yours still wait for it. Please try later.",
    credit.CABINET_LIMIT: "No connection, and too many visits wait for it. Sorry: please try later.",
    decide.NOT_LIVE: "We could not see that it is you: please show your code.",
    decide.UNKNOWN_CODE: "We do not know this code. Please ask the operator for another.",
    decide.WRONG_DIGITS: "Those are not the digits we know. Please show your code.",
    decide.NO_DIGITS: "We are not sure enough that it is you: please show your code.",
    decide.DECLINED: "The door stays shut. Until next time.",
    **dict.fromkeys(("token: expired", "token: unknown nonce", "token: used nonce"), OLD_CODE),
    "token: foreign cabinet": "Your code is for another cabinet: please scan the one on this screen.",
    **dict.fromkeys(
        ("token: malformed", "token: unknown key", "token: bad signature", "token: not yours"),
        "Your phone's code is not valid here: please look into the app, or show your card.",
    ),
    risk.LOW_TRUST: "Sorry, we cannot open for you just now: please speak with the operator.",
    risk.OLD_MEMBERS: "No connection for too long. Sorry: please try another time.",
    risk.TOO_OFTEN: "You have been here often just now: please come back in a little while.",
    risk.CARD_TOO_OFTEN: "Your card has opened often enough for today: please use your face or your phone.",
    risk.NO_LIMIT: "Your code leaves nothing to spend here: please make a new one in the app.",
    risk.NOT_KEPT: "Sorry, that is our fault: please try again in a moment.",
}


def refused(why: str) -> str:
    """To whoever was turned away: what to do about it, where there is something."""
    return REFUSALS.get(why, LINES[Notice.REFUSED])


def line(notice: Notice, total_minor: int, currency: str) -> str:
    return LINES[notice].format(total=f"{currency} {money(total_minor, currency)}")


def total(notice: Notice, total_minor: int, currency: str) -> str:
    """What will be charged, in words; empty where nothing is said of it."""
    return f"{currency} {money(total_minor, currency)}" if "{total}" in LINES[notice] else ""


def so_far(interim: Interim | None, said: str) -> str:
    """What seems to have been taken, before what is said anyway.  No prices: it may yet change."""
    if interim is None or not interim.taken:
        return said
    goods = [name if units == 1 else f"{units} × {name}" for _, name, units in interim.taken[:MOST_NAMED]]
    more = len(interim.taken) - MOST_NAMED
    goods += [f"{more} more"] if more > 0 else []
    return f"So far: {', '.join(goods)}{'.' if interim.settled else '…'} {said}"
