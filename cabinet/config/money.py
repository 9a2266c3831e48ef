"""The cloud that keeps the accounts, the way to it, and how much is risked without it."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from cabinet.config.values import Amount, Positive, Section


class Mqtt(Section):
    host: str
    port: Annotated[int, Field(ge=1, le=65_535)] = 8883
    key_file: Path  # the key shared with the cloud: 64 hexadecimal digits
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    client_key_file: Path | None = None
    reconnect_max_s: Annotated[float, Field(ge=1, le=600)] = 30.0
    telemetry_every_s: Annotated[float, Field(ge=1, le=3600)] = 60.0


class Credit(Section):
    """For how much a member is let in.  Without [mqtt] nobody keeps an account, and none of this is asked."""

    budget_ms: Annotated[int, Field(ge=50, le=3000)] = 800  # the cloud's answer is waited for so long
    hold_minor: Amount = 2_000  # asked of the cloud, and assumed without it
    # While the cloud cannot be asked; a limit of 0: nobody is let in then.
    offline_member_visits: Annotated[int, Field(ge=0, le=1000)] = 3  # of one member, not confirmed by the cloud
    offline_member_minor: Amount = 5_000
    offline_cabinet_visits: Annotated[int, Field(ge=0, le=100_000)] = 200  # of everybody
    offline_cabinet_minor: Amount = 200_000
    roster_days: Positive = 7.0  # the list of those whom no cabinet lets in may be so old
