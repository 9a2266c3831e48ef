"""The cabinet by name, and what lies on its computer: files, the page, room on the disk."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from cabinet.config.values import Currency, Name, Positive, Section


class Cabinet(Section):
    id: Name
    currency: Currency
    data_dir: Path  # ledger, traces, socket
    socket: Path | None = None  # None: control.sock in data_dir

    @property
    def socket_path(self) -> Path:
        return self.socket or self.data_dir / "control.sock"


class Screen(Section):
    """The shopper's page, served on this computer alone: `cabinet screen`."""

    port: Annotated[int, Field(ge=0, le=65_535)] = 8080  # of 127.0.0.1


class Storage(Section):
    min_free_mib: Annotated[int, Field(ge=0)] = 64  # below it no new visit
    traces_mib: Annotated[int, Field(ge=16)] = 2048  # oldest closed traces go first
    traces_days: Positive = 30.0
    frames_per_visit: Annotated[int, Field(ge=0, le=500)] = 40
    ballast_mib: Annotated[int, Field(ge=0, le=1024)] = 16  # given up for charges when the disk is full
