"""The page's three addresses: the page, what there is to see as server-sent events, and the shopper's answers."""

import base64
import hashlib
import json
import re
import secrets
from collections.abc import AsyncIterator
from importlib import resources
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from cabinet.screen.guard import Guard, is_our_page
from cabinet.screen.link import AwayError, Link, RefusedError
from cabinet.screen.seen import drawn

MAX_ANSWER: Final = 64  # bytes: four digits, or yes
MAX_WATCHERS: Final = 8  # pages at once; there is one
BEAT_S: Final = 5.0  # the page counts silence as "out of order"


class Page:
    def __init__(self, link: Link) -> None:
        self._link = link
        self._word = secrets.token_urlsafe(24)  # an answer must carry it; new at every start
        self._run = secrets.token_hex(4)  # tells a page that it came from an earlier start
        text = resources.files("cabinet.screen").joinpath("page.html").read_text(encoding="utf-8")
        self._policy = _policy(text)
        self._text = text.replace("{{word}}", self._word)
        self.watchers = 0
        self.ending = False

    def app(self) -> ASGIApp:
        return Guard(
            Starlette(
                routes=[
                    Route("/", self.page, methods=["GET"]),
                    Route("/events", self.events, methods=["GET"]),
                    Route("/digits", self.digits, methods=["POST"]),
                    Route("/confirm", self.confirm, methods=["POST"]),
                ]
            )
        )

    async def page(self, _: Request) -> Response:
        return HTMLResponse(self._text, headers={"content-security-policy": self._policy})

    async def events(self, _: Request) -> Response:
        if self.watchers >= MAX_WATCHERS:
            return PlainTextResponse("Too many pages: close another one.\n", status_code=503)
        return StreamingResponse(self._events(), media_type="text/event-stream")

    async def _events(self) -> AsyncIterator[str]:
        self.watchers += 1
        try:
            version = -1
            while not self.ending:
                version = await self._link.newer(version, BEAT_S)
                yield f"data: {json.dumps({'run': self._run, **drawn(self._link.seen)})}\n\n"
        finally:
            self.watchers -= 1

    async def digits(self, request: Request) -> Response:
        return await self._answer(request, "shopper.digits", "digits", str)

    async def confirm(self, request: Request) -> Response:
        return await self._answer(request, "shopper.confirm", "yes", bool)

    async def _answer(self, request: Request, op: str, key: str, kind: type) -> Response:
        if not is_our_page(request.headers, self._word):
            return _no(403, "load the page again")
        if request.headers.get("content-type") != "application/json":
            return _no(415, "send JSON")
        given = await _body(request)
        if given is None or set(given) != {key} or not isinstance(given[key], kind):
            return _no(400, f"give {key} and nothing else")
        try:
            await self._link.ask(op, given)
        except RefusedError as error:
            return _no(409, str(error))
        except AwayError:
            return _no(503, "out of order")
        return JSONResponse({"taken": True})


async def _body(request: Request) -> dict[str, Any] | None:
    """The object in the body; None where there is none or it is longer than any answer."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_ANSWER:
                return None
        given = json.loads(body)
    except (ValueError, RecursionError, ClientDisconnect):
        return None
    return given if isinstance(given, dict) else None


def _no(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status_code=status)


def _policy(text: str) -> str:
    """Only the page's own style and script, by their hashes; nothing from anywhere else."""

    def hashes(tag: str) -> str:
        found = re.findall(f"<{tag}>(.*?)</{tag}>", text, flags=re.DOTALL)
        digests = (base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in found)
        return " ".join(f"'sha256-{digest}'" for digest in digests)

    return (
        f"default-src 'none'; style-src {hashes('style')}; script-src {hashes('script')}; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
