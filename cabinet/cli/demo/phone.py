"""A member's phone: a key of its own, what it reads off the cabinet's screen, and the code that it shows for that."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cabinet.cli.demo import people
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.shop import Member
from cabinet.cli.demo.waiting import wait_until
from cabinet.identity import token
from cabinet.sim.pictures import Picture
from cabinet.units import MemberId

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NUMBER_S = 60.0  # until the screen shows a number again after a visit


@dataclass(frozen=True, slots=True)
class Phone:
    bench: Bench
    owner: Member
    private: "Ed25519PrivateKey"

    def sees_number(self) -> str:
        """Once the screen shows one."""
        shown: list[str] = []

        def there() -> bool:
            shown.append(str(self.bench.ask("shopper.screen")["nonce"]))
            return bool(shown[-1])

        wait_until(there, NUMBER_S, "the screen shows no number for a phone")
        return shown[-1]

    def signs(self, shown: str, *, cabinet: str | None = None, expires_s: int = 0) -> str:
        """The token for a number.  `cabinet`: another one than that on the screen."""
        here, nonce = token.read_nonce(shown)
        place = here if cabinet is None else token.cabinet_hash(cabinet)
        return token.sign(self.private, (place, nonce), MemberId(self.owner.member), expires_s=expires_s).text

    def shows(self) -> Picture:
        """A code that is good once, for the number on the screen now."""
        return people.code_picture(self.signs(self.sees_number()))


def phone_of(bench: Bench, owner: Member) -> Phone:
    """A new phone; the cabinet is told its public key, as a technician would."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415  # takes its time

    private = Ed25519PrivateKey.generate()
    bench.ask("members.key_add", member=owner.member, public=private.public_key().public_bytes_raw().hex())
    return Phone(bench, owner, private)
