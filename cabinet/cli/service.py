"""`cabinet unlock` and `cabinet outbox`: the technician's visit, and what the cloud has not confirmed yet."""

import time
from typing import Annotated, Literal

import typer

from cabinet.cli import learnt, show, words
from cabinet.cli.errors import BadInputError
from cabinet.cli.place import ConfigFile, SocketPath, socket_of

MAX_REASON = 200  # characters; the events' own bound


def unlock(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is recorded with your user name.")],
    purpose: Annotated[
        Literal["restock", "service"], typer.Option("--purpose", help="Restock: goods come. Service: repair.")
    ] = "service",
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Open the cabinet for a technician. Nobody is charged; refused during a shopper's visit."""
    if not reason.strip() or len(reason) > MAX_REASON:
        raise BadInputError(f"--reason: has 1 to {MAX_REASON} characters", 'such as --reason "weekly restock"')
    data = show.ask(socket_of(config, socket), "unlock", purpose=purpose, reason=reason)
    if json:
        show.as_json(data)
    else:
        show.done(f"unlocked for {purpose}, visit {data.get('visit')}: open the door now, shut it when you are done")
        if data.get("strays"):
            learnt.tell_strays(data["strays"])


def outbox(config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    """Charges and incidents that the cloud has not confirmed yet; nothing here is lost when the line is down."""
    data = show.ask(socket_of(config, socket), "outbox")
    if json:
        show.as_json(data)
        return
    now_ms, count = time.time() * 1000, data.get("count") or 0
    if not count:
        show.done(f"nothing waits: the cloud has confirmed all {data.get('head_seq')} events")
        return
    rows = [
        (row.get("seq"), row.get("type"), row.get("visit"), words.when(row.get("wall_ms"), now_ms),
         words.yes_no(row.get("acked"), "yes", "no"))
        for row in data.get("rows", [])
    ]  # fmt: skip  # a row
    oldest = words.ago(data.get("oldest_wall_ms"), now_ms)
    title = f"{count} of {data.get('head_seq')} events wait; the oldest was written {oldest}"
    show.console().print(show.table(title, ["seq>", "type", "visit", "written", "confirmed"], rows))
