"""The server's life: bound to this computer's own address, one loop for page and link, and a quick end."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

import uvicorn

from cabinet.screen.app import Page
from cabinet.screen.link import Link

HERE: Final = "127.0.0.1"  # never another: the page has no passwords
MAX_REQUESTS: Final = 32  # at once
END_S: Final = 1


def bound(port: int) -> socket.socket:
    """Raises OSError where the port is taken.  0: any that is free."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((HERE, port))
    except OSError:
        made.close()
        raise
    return made


class Serving:
    def __init__(self, link: Link) -> None:
        self._link = link
        self._page = Page(link)
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._page.app(),
                lifespan="off",
                http="h11",
                ws="none",
                access_log=False,
                log_config=None,
                server_header=False,
                limit_concurrency=MAX_REQUESTS,
                timeout_graceful_shutdown=END_S,
            )
        )

    async def run(self, listening: socket.socket, ready: Callable[[], None]) -> None:
        """Until SIGINT, SIGTERM or `stop`."""
        following = asyncio.create_task(self._link.run())
        telling = asyncio.create_task(self._tell(ready))
        try:
            await self._server.serve(sockets=[listening])
        finally:
            for task in (following, telling):
                task.cancel()
            await asyncio.gather(following, telling, return_exceptions=True)

    def stop(self) -> None:
        self._server.should_exit = True

    async def _tell(self, ready: Callable[[], None]) -> None:
        while not self._server.started:  # noqa: ASYNC110  uvicorn tells nobody
            await asyncio.sleep(0.01)
        ready()
        while not self._server.should_exit:  # noqa: ASYNC110  likewise
            await asyncio.sleep(0.2)
        self._page.ending = True
