"""Who may speak to the page's server: a browser on this computer, with a page that came from it.

The server listens on 127.0.0.1.  That alone does not keep out a page from elsewhere that the same browser shows: so the
Host header must name this computer (a foreign name that resolves here is refused), nothing may be read across origins,
and an answer must carry the word that only our page was given.
"""

import hmac
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS: Final = frozenset({"127.0.0.1", "localhost"})
WORD_HEADER: Final = "x-cabinet-page"

SECURITY: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


class Guard:
    """ASGI: refuses what does not name this computer, and puts the same headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # a websocket is answered by nobody: the server closes it

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers[name] = value
            await send(message)

        if not is_here(Headers(scope=scope)):
            refusal = PlainTextResponse("This page is for this computer alone.\n", status_code=421)
            await refusal(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)


def is_here(headers: Headers) -> bool:
    """One Host header, and it names this computer, on any port."""
    hosts = headers.getlist("host")
    return len(hosts) == 1 and _name_of(hosts[0]) in HOSTS


def is_our_page(headers: Headers, word: str) -> bool:
    """The word that our page was given, and no sign of another origin."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and origin != f"http://{headers.get('host', '')}":
        return False
    if site not in {None, "same-origin"}:
        return False
    return hmac.compare_digest(headers.get(WORD_HEADER, "").encode(), word.encode())


def _name_of(host: str) -> str:
    try:
        split = urlsplit(f"//{host}")
        _ = split.port  # raises where it is no number
    except ValueError:
        return ""
    return "" if split.username is not None or split.path or split.query else (split.hostname or "")
