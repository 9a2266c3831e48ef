"""Where money plugs into ingest: which bookkeeper and desk the workers run with."""

from cabinet.cloud.run import OpenMoney


def money_of(provider: str | None) -> OpenMoney | None:
    """None: ingest alone; else as `provider_of` reads it, "none" for the ledger without a provider.

    Raises ValueError for what it cannot read, OSError for a key file that cannot be opened.
    """
    if provider is None:
        return None
    from cabinet.cloud.money.house import Money  # noqa: PLC0415  # ingest alone needs nothing of it
    from cabinet.cloud.money.provider import provider_of  # noqa: PLC0415  # likewise

    found = provider_of(provider)
    return lambda books, keys, open_own: Money(books, keys, found, open_own)
