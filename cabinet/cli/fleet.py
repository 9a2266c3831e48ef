"""The fleet's list of members in one line, for status and doctor."""

from typing import Any

from cabinet.cli import words


def in_words(fleet: dict[str, Any]) -> str:
    """Empty where the cloud has never sent one."""
    if not fleet.get("version"):
        return ""
    age, most = words.span(fleet.get("age_s") or 0), words.span(fleet.get("most_s") or 0)
    stale = f": none of them is known by face, it may be {most} old" if fleet.get("stale") else ""
    return words.clean(f"version {fleet.get('version')}, {fleet.get('members')} members, {age} old{stale}")
