"""A visit's recording as it is handed out: faces blurred, and who asked for it and why written down before.

The recording itself stays as it is, and so does what the charge's hash binds; `verify` looks at that, here.
"""

import asyncio
import base64
import dataclasses
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cabinet import clock, trace
from cabinet.control.blurring import Blurring, signer
from cabinet.control.requests import Answer, Arguments, RequestError, integer, text
from cabinet.ledger import Ledger, VisitRecord
from cabinet.trace.withheld import Sign
from cabinet.units import VisitId

NOT_SAID: Final = "not said"
MAX_WHY: Final = 200  # characters
LIVE: Final = frozenset({"camera.snapshot"})

Operation = Callable[[Arguments, str], Awaitable[Answer]]


@dataclass
class EvidenceDesk:
    ledger: Ledger
    traces: Path
    blur: Blurring = field(default_factory=Blurring)

    def operations(self) -> dict[str, Any]:
        return {
            "visits.export": self.export,
            "visits.picture": self.picture,
            "visits.verify": self.verify,
            "visits.accesses": self.accesses,
        }

    async def export(self, arguments: Arguments, who: str) -> Answer:
        folder = self._looked_at("visits.export", arguments, who)
        content, without, kept_back = await asyncio.to_thread(_tar, folder, self.blur, signer(self.ledger))
        return {
            "name": f"{folder.name}.tar",
            "tar_b64": base64.b64encode(content).decode(),
            "page": not without,
            "page_why": without,
            "withheld": kept_back,
            "blur_why": self.blur.trouble,
        }

    async def picture(self, arguments: Arguments, who: str) -> Answer:
        folder = self._looked_at("visits.picture", arguments, who)
        content, kept_back = await asyncio.to_thread(_picture, folder, self.blur, signer(self.ledger))
        return {
            "png_b64": base64.b64encode(content).decode(), "withheld": kept_back, "blur_why": self.blur.trouble,
        }  # fmt: skip  # a row

    async def verify(self, arguments: Arguments, who: str) -> Answer:
        """The recording itself against `hash`, or what the ledger binds.  Nothing of it is handed out."""
        record = self._record(arguments)
        wanted = arguments.get("hash") or record.evidence_hash
        if not isinstance(wanted, str) or not wanted:
            raise RequestError(
                "the ledger binds no evidence to this visit", "only a visit that was tallied has any: visits show"
            )
        folder = self._looked_at("visits.verify", arguments, who)
        found = await asyncio.to_thread(trace.verify, folder, wanted.lower())
        return {**dataclasses.asdict(found), "same": found.same, "compared": True}

    async def accesses(self, arguments: Arguments, _: str) -> Answer:
        visit = None if arguments.get("visit") is None else self._record(arguments).visit
        limit = integer(arguments, "limit", 100, low=1, high=1000)
        found = self.ledger.accesses(visit, limit)
        return {
            "accesses": [
                {"who": one.who, "what": one.what, "visit": one.visit, "why": one.why, "wall_ms": one.at_ms}
                for one in found
            ]
        }

    def _looked_at(self, what: str, arguments: Arguments, who: str) -> Path:
        """Written down before anything is handed out."""
        visit = self._record(arguments).visit
        folder = self.traces / visit
        if not folder.is_dir():
            raise RequestError("the recording of this visit is no longer kept", "storage.traces_days bounds it")
        self.ledger.note_access(who, what, visit, why(arguments), clock.stamp())
        return folder

    def _record(self, arguments: Arguments) -> VisitRecord:
        record = self.ledger.visit(VisitId(text(arguments, "visit")))
        if record is None:
            raise RequestError("there is no such visit", "cabinet visits list shows the ids")
        return record


def watched(operations: Mapping[str, Operation], ledger: Ledger, names: frozenset[str] = LIVE) -> dict[str, Operation]:
    """The same operations; who asks for one that shows a live picture is written down first."""

    def noted(name: str, operation: Operation) -> Operation:
        async def asked(arguments: Arguments, who: str) -> Answer:
            camera, said = arguments.get("camera"), why(arguments)
            told = f"{camera}: {said}" if isinstance(camera, str) else said
            ledger.note_access(who, name, None, told, clock.stamp())
            return await operation(arguments, who)

        return asked

    return {name: noted(name, one) if name in names else one for name, one in operations.items()}


def why(arguments: Arguments) -> str:
    """What whoever looks says that it is for."""
    given = arguments.get("why")
    if given is None or (isinstance(given, str) and not given.strip()):
        return NOT_SAID
    if not isinstance(given, str) or len(given) > MAX_WHY:
        raise RequestError("why is no short text", f"at most {MAX_WHY} characters")
    return given.strip()


def kept_back(withheld: dict[str, trace.Withheld]) -> dict[str, int]:
    """Why → how many stills."""
    found: dict[str, int] = {}
    for one in withheld.values():
        found[one.why] = found.get(one.why, 0) + 1
    return found


def _tar(folder: Path, blur: Blurring, sign: Sign) -> tuple[bytes, str, dict[str, int]]:
    """With the visit's page in it, or why it could not be drawn: the recording is handed out in any case."""
    with tempfile.TemporaryDirectory() as temporary:
        path, page, without = Path(temporary) / "trace.tar", Path(temporary) / "page.png", ""
        copy = Path(temporary) / folder.name
        copy.mkdir()
        withheld = trace.shown_copy(folder, copy, blur, sign)
        try:
            from cabinet.picture import draw_visit  # noqa: PLC0415  matplotlib takes a second and 60 MB

            draw_visit(copy, page)
        except ImportError:
            without = "matplotlib is not installed"
        except (OSError, ValueError) as error:
            without = str(error)
        trace.export(copy, path, {} if without else {"page.png": page})
        return path.read_bytes(), without, kept_back(withheld)


def _picture(folder: Path, blur: Blurring, sign: Sign) -> tuple[bytes, dict[str, int]]:
    from cabinet.picture import draw_visit  # noqa: PLC0415  matplotlib takes a second and 60 MB

    with tempfile.TemporaryDirectory() as temporary:
        path, copy = Path(temporary) / "visit.png", Path(temporary) / folder.name
        copy.mkdir()
        withheld = trace.shown_copy(folder, copy, blur, sign)
        draw_visit(copy, path)
        return path.read_bytes(), kept_back(withheld)
