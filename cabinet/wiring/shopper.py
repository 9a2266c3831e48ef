"""The shopper's screen as the configuration names it: who may sign for anybody, and how this cabinet recognises."""

from cabinet.config import Config, ConfigError
from cabinet.identity.signing import PublicKeyError, SigningKey, issuers
from cabinet.ledger import Ledger
from cabinet.shopper import Shopper


def shopper(facts: Config, ledger: Ledger) -> Shopper:
    """Raises ConfigError for a file of issuers that is wrong: nobody is let in by a key that was mistyped."""
    who = facts.identity
    return Shopper(
        facts.cabinet.id, who.nonce_s, ledger.key, issuers_of(facts), codes=who.codes, faces=who.faces
    )  # fmt: skip  # one line


def issuers_of(facts: Config) -> dict[bytes, SigningKey]:
    """Raises ConfigError with the file's name and the line."""
    file = facts.identity.issuer_keys_file
    if file is None:
        return {}
    try:
        return issuers(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"identity.issuer_keys_file: {file} cannot be read ({error.strerror})") from error
    except (PublicKeyError, UnicodeDecodeError) as error:
        raise ConfigError(f"identity.issuer_keys_file: {file}: {error}") from error
