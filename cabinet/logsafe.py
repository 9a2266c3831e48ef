"""What must never stand in a log: card numbers, and the tokens of members' codes.

A filter on the handler sees every line that is about to be written, of whatever logger, with its traceback.  It
replaces, counts, and says so once; it never drops a line.  What only looks like a card stays readable: numbers that
follow a key of ours (`sku=4006381333931`), ids, hashes, and digits that pass no check or begin like no card.
"""

import logging
import re
from collections import Counter
from typing import Final

from cabinet.wire import luhn

HIDDEN: Final = "[redacted]"
_TOKEN: Final = re.compile(r"(CAB[1-3N]:)[A-Za-z0-9_=+/-]{4,}")
# Not within a longer word or number (ids, hashes, floats); a payment card's first digit is 2 to 6 (ISO/IEC 7812).
_CARD: Final = re.compile(
    r"(?<![\w.])(?P<key>(?:sku|visit|seq|h|ean|zone)=['\"]?)?(?P<digits>[2-6](?:[ -]?\d){12,18})(?!\w)"
)

COUNTS: Final = Counter(log_lines_redacted=0)  # of this process, for doctor

log = logging.getLogger(__name__)


class Redaction(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        said = _said(record)
        safe = redacted(said)
        if safe != said:
            record.msg, record.args = safe, None
            record.exc_info = record.exc_text = record.stack_info = None  # it is in the message by now
            COUNTS["log_lines_redacted"] += 1
            if COUNTS["log_lines_redacted"] == 1:
                log.warning("log_redacted logger=%s what=card number or member's code, more are counted", record.name)
        return True


def redacted(text: str) -> str:
    return _CARD.sub(_hide, _TOKEN.sub(rf"\1{HIDDEN}", text))


def guard() -> None:
    """From now on nothing that the root logger's handlers write holds either; call it after logging.basicConfig."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(one, Redaction) for one in handler.filters):
            handler.addFilter(Redaction())


def _hide(found: re.Match[str]) -> str:
    if found["key"] is not None or not luhn(re.sub(r"\D", "", found["digits"])):
        return found.group()
    return HIDDEN


def _said(record: logging.LogRecord) -> str:
    """Message and traceback, as a formatter would write them; a message that cannot be made is left to it."""
    try:
        said = record.getMessage()
    except (TypeError, ValueError):
        said = f"{record.msg!r} {record.args!r}"
    if record.exc_info:
        said += "\n" + logging.Formatter().formatException(record.exc_info)
    elif record.exc_text:
        said += "\n" + record.exc_text
    return said + (f"\n{record.stack_info}" if record.stack_info else "")
