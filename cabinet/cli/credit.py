"""Holds and limits in one line, for status and doctor: the roster, and what the cloud has not confirmed yet."""

from typing import Any

from cabinet.cli import words


def in_words(credit: dict[str, Any]) -> str:
    roster, limits = credit.get("roster"), credit.get("limits") or {}
    open_now, currency = credit.get("unconfirmed") or {}, credit.get("currency")
    known = "no list of blocked members yet"
    if roster:
        age = words.span(roster.get("age_s") or 0)
        known = f"list of blocked members {roster.get('version')}, {age} old, {credit.get('blocked')} on it"
    amount, most = words.money(open_now.get("minor"), currency), words.money(limits.get("cabinet_minor"), currency)
    visits = f"{open_now.get('visits')} of {limits.get('cabinet_visits')} visits"
    return words.clean(f"{known}; not confirmed by the cloud: {visits}, {amount} of {most}")
