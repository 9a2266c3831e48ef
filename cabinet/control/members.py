"""Members as a technician keeps them: enrolled, changed, handed a copy of what is kept of them, forgotten.

Everything is refused or done whole.  A photograph is looked at and forgotten; consent came before it (the command line
shows the text), and what was agreed to is written with it.  Erasing needs no cloud.
"""

import asyncio
import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cabinet import clock, trace
from cabinet.config import Config
from cabinet.control.blurring import signer
from cabinet.control.enrolment import Enrolment
from cabinet.control.evidence import why
from cabinet.control.requests import Answer, Arguments, Refusals, RequestError, photos, text
from cabinet.identity.recognise import Rules
from cabinet.ledger import Consent, Ledger, Member
from cabinet.ledger.members import MAX_TEMPLATES
from cabinet.units import MemberId, VisitId

Faces = Sequence[Mapping[str, tuple[float, ...]]]  # of each photograph: model → template


@dataclass
class MembersDesk:
    config: Config
    ledger: Ledger
    enrolment: Enrolment
    changed: Callable[[], None]  # whom the door knows

    def operations(self) -> dict[str, Any]:
        return {
            "members.add": self.add,
            "members.photo": self.photo,
            "members.list": self.list,
            "members.digits": self.digits,
            "members.verify": self.verify,
            "members.withdraw": self.withdraw,
            "members.export": self.export,
            "members.erase": self.erase,
        }

    async def add(self, arguments: Arguments, who: str) -> Answer:
        pictures = _few(photos(arguments))
        if pictures and arguments.get("no_face"):
            raise RequestError("a photograph of somebody whose face is not to be kept", "leave one of them out")
        faces = await self.enrolment.faces(pictures)  # refused before anything is written
        consent = _consent(arguments)
        with Refusals(), self.ledger.at_once():
            self._refuse_twin(faces, None, arguments)
            member = self.ledger.add_member(text(arguments, "name"), consent)
            self._agree(member, consent, arguments, face=bool(faces))
            self._keep(member, faces)
            if arguments.get("digits") is not None:
                self.ledger.set_digits(member, text(arguments, "digits"))
            if arguments.get("verified"):
                self.ledger.set_verified(member, True, who, clock.stamp())  # noqa: FBT003  # the room's own signature
            token = self.ledger.add_token(member) if arguments.get("code") else None
        self.changed()
        qr = None if token is None else base64.b64encode(_qr(token)).decode()
        return {"member": member, "templates": len(faces), "token": token, "qr_png_b64": qr}

    async def photo(self, arguments: Arguments, _: str) -> Answer:
        """More photographs of a member, or the first after they had taken their face back."""
        member, pictures = self._known(arguments).member, _few(photos(arguments))
        if not pictures:
            raise RequestError("no photograph was given", "give at least one")
        faces = await self.enrolment.faces(pictures)
        consent = _consent(arguments)
        with Refusals(), self.ledger.at_once():
            self._refuse_twin(faces, member, arguments)
            self.ledger.set_consent(member, "face", consent)
            self._keep(member, faces)
        self.changed()
        return {"member": member, "templates": self._known(arguments).templates}

    async def list(self, _: Arguments, __: str) -> Answer:
        """`blocked`: why no cabinet lets them in, or null.  Never a template, digit or code."""
        blocked = self.ledger.blocked()
        return {"members": [_row(member, blocked.get(member.member)) for member in self.ledger.members()]}

    async def digits(self, arguments: Arguments, _: str) -> Answer:
        """Null takes them away."""
        member, given = self._known(arguments).member, arguments.get("digits")
        with Refusals():
            self.ledger.set_digits(member, None if given is None else text(arguments, "digits"))
        self.changed()
        return {"member": member, "digits": given is not None}

    async def verify(self, arguments: Arguments, who: str) -> Answer:
        """Whoever asks has seen a proof of who the member is; `verified` false takes it back."""
        member, verified = self._known(arguments).member, arguments.get("verified", True)
        if not isinstance(verified, bool):
            raise RequestError(f"verified is {verified!r}", "give true or false")
        with Refusals():
            self.ledger.set_verified(member, verified, who, clock.stamp())
        return {"member": member, "verified": verified, "by": who}

    async def withdraw(self, arguments: Arguments, _: str) -> Answer:
        """Face templates go, codes and digits stay."""
        member = self._known(arguments)
        with Refusals():
            gone = self.ledger.withdraw_face(member.member, clock.stamp())
        self.changed()
        return {"member": member.member, "templates": gone, "tokens": member.tokens}

    async def export(self, arguments: Arguments, who: str) -> Answer:
        """Everything held of the member, in the open: for them alone."""
        member = self._known(arguments).member
        self.ledger.note_access(who, "members.export", None, why(arguments), clock.stamp())
        held = self.ledger.export_member(member)
        kept = [visit["visit"] for visit in held["visits"] if self._stills(VisitId(visit["visit"]))]
        return {**held, "cabinet": self.config.cabinet.id, "recordings_with_stills": kept}

    async def erase(self, arguments: Arguments, _: str) -> Answer:
        """Stills of their visits go as well, save those of visits that somebody may still have to judge."""
        member = self._known(arguments)
        self._refuse_open(member.member)
        visits = [VisitId(visit) for visit in self.ledger.visits_of(member.member)]
        doubt = self.ledger.in_doubt()
        free = [self._folder(visit) for visit in visits if visit not in doubt and self._stills(visit)]
        kept = sum(self._stills(visit) for visit in visits if visit in doubt)
        stills = await asyncio.to_thread(_erase_pictures, free, signer(self.ledger))
        self._refuse_open(member.member)  # nobody came in meanwhile
        with Refusals():
            receipt = self.ledger.erase(
                member.member, clock.stamp(), cabinet=self.config.cabinet.id, removed={"stills": stills},
                kept={"stills of visits in doubt": kept},
            )  # fmt: skip  # a row
        self.changed()
        return {
            "member": member.member, "templates": member.templates, "tokens": member.tokens, "receipt": receipt,
        }  # fmt: skip  # a row

    def _keep(self, member: MemberId, faces: Faces) -> None:
        for face in faces:
            for model, vector in face.items():
                self.ledger.add_template(member, vector, model)

    def _agree(self, member: MemberId, consent: Consent, arguments: Arguments, *, face: bool) -> None:
        """What the member has said beside their enrolment."""
        if face or arguments.get("no_face"):
            self.ledger.set_consent(member, "face", consent, given=face)
        if face and arguments.get("share_face"):
            self.ledger.set_consent(member, "share-face", consent)

    def _refuse_twin(self, faces: Faces, member: MemberId | None, arguments: Arguments) -> None:
        near = None if arguments.get("twin") or not faces else self.enrolment.nearest_other(faces, member)
        if near is None:
            return
        who = self.config.identity
        rules = Rules(who.false_match, who.false_match_digits, who.face_distance, who.face_margin)
        if near.distance <= rules.together(max(len(self.ledger.members()), 1)):
            raise RequestError(
                f"this face is member {near.member} already",
                f"cabinet members photo {near.member} FILE adds the photograph to them; --twin keeps both",
            )

    def _refuse_open(self, member: MemberId) -> None:
        if any(visit.member == member for visit in self.ledger.open_visits()):
            raise RequestError("the member is at the cabinet", "wait until their visit has ended")

    def _known(self, arguments: Arguments) -> Member:
        member = self.ledger.member(MemberId(text(arguments, "member")))
        if member is None:
            raise RequestError("there is no such member", "cabinet members list shows the ids")
        return member

    def _folder(self, visit: VisitId) -> Path:
        return self.config.cabinet.data_dir / "traces" / visit

    def _stills(self, visit: VisitId) -> int:
        return sum(1 for _ in self._folder(visit).glob("frames/*/*.jpg"))


def _few(pictures: list[bytes]) -> list[bytes]:
    if len(pictures) > MAX_TEMPLATES:
        raise RequestError("too many photographs", f"a member has at most {MAX_TEMPLATES}")
    return pictures


def _consent(arguments: Arguments) -> Consent:
    return Consent(text(arguments, "consent", "1"), clock.stamp().wall_ms, text(arguments, "language", "en"))


def _row(member: Member, blocked: str | None) -> Answer:
    return {
        "member": member.member,
        "name": member.name,
        "readable": member.readable,
        "source": member.source,
        "templates": member.templates,
        "tokens": member.tokens,
        "digits": member.digits,
        "verified": member.verified,
        "age": member.age,
        "blocked": blocked,
        "consent_version": member.consent.version,
        "consent_wall_ms": member.consent.at_ms,
        "last_visit_wall_ms": member.last_visit_ms,
        "erased": False,
    }


def _erase_pictures(folders: Sequence[Path], sign: trace.Sign) -> int:
    return sum(trace.erase_pictures(folder, sign) for folder in folders)


def _qr(token: str) -> bytes:
    import segno  # noqa: PLC0415  only when a code is issued

    buffer = io.BytesIO()
    segno.make_qr(token, error="m").save(buffer, kind="png", scale=8)
    return buffer.getvalue()
