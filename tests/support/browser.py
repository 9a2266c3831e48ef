"""A real browser without a window, spoken to over a pair of pipes: for what only a browser can show of a page."""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import time
from pathlib import Path
from typing import Any, Self

import pytest

ANSWER_S = 60.0
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


class Browser:
    """One page.  `evaluate` runs a line of script in it and returns what it is worth."""

    def __init__(self, folder: Path, width: int = 1280, height: int = 800) -> None:
        """Skips the test where this machine has no browser."""
        program = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
        if program is None:
            pytest.skip("no browser on this machine (Debian: apt-get install chromium)")
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        self._pid = _started(
            [
                program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-background-networking", "--disable-dev-shm-usage", "--hide-scrollbars",
                f"--window-size={width},{height}", f"--user-data-dir={folder / 'profile'}", "--remote-debugging-pipe",
                "about:blank",
            ],
            to_browser, from_browser,
        )  # fmt: skip  # a row of options
        self._number = 0
        self._session: str | None = None
        self._rest = b""
        target = next(one for one in self._ask("Target.getTargets")["targetInfos"] if one["type"] == "page")
        attached = self._ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._out)
        os.close(self._in)

    def open(self, address: str) -> None:
        self._ask("Page.navigate", url=address)

    def evaluate(self, script: str) -> Any:
        answer = self._ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def wait_for(self, script: str, within_s: float = 60.0) -> Any:
        """What the script is worth as soon as that is true."""
        until_s = time.monotonic() + within_s
        while not (found := self.evaluate(script)):
            assert time.monotonic() < until_s, f"{script} never became true"
            select.select([], [], [], 0.05)
        return found

    def picture(self) -> bytes:
        """PNG of what there is to see."""
        return base64.b64decode(self._ask("Page.captureScreenshot")["data"])

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        said: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            said["sessionId"] = self._session
        os.write(self._out, json.dumps(said).encode() + b"\0")
        while True:
            heard = self._heard()
            if heard.get("id") == self._number:
                assert "error" not in heard, heard
                result: dict[str, Any] = heard["result"]
                return result

    def _heard(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], ANSWER_S)
            chunk = os.read(self._in, 1 << 20) if ready else b""
            assert chunk, "the browser does not answer"
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\0")
        heard: dict[str, Any] = json.loads(line)
        return heard


def _started(command: list[str], to_browser: int, from_browser: int) -> int:
    """The browser reads commands from descriptor 3 and writes answers to 4, so both must be just these."""
    high = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (to_browser, from_browser)]
    places = [(os.POSIX_SPAWN_DUP2, one, place) for one, place in zip(high, (3, 4), strict=True)]
    quiet = [(os.POSIX_SPAWN_OPEN, place, os.devnull, os.O_RDWR, 0) for place in (0, 1, 2)]
    try:
        return os.posix_spawn(command[0], command, os.environ, file_actions=[*quiet, *places], setsid=True)
    finally:
        for one in (*high, to_browser, from_browser):
            os.close(one)
