"""What a member agrees to before any photograph of theirs is read.  A changed text gets a new version."""

import typer

from cabinet.cli.errors import BadInputError, RefusedError

VERSION = "1"
TEXTS = {
    "en": """\
Consent of the member (version 1)

  What is kept:   your name; of each photograph 128 numbers that describe the face; if you ask for a code, a
                  fingerprint of that code; this consent and its time. The photographs themselves are not kept.
  What for:       to recognise you at this cabinet, unlock it for you and charge you for what you take. Nothing else.
  Where:          in this cabinet's own storage. The numbers and your name are not sent away; purchases are sent
                  under an id.
  Your choice:    you may have a code instead of face recognition: it opens the cabinet just as well.
  Your right:     you may have all of it erased at any time (cabinet members erase). Past purchases keep the bare id.
""",
}  # fmt: skip


def obtain(language: str, *, agreed: bool) -> None:
    """Show the text; return only with the member's agreement.  Raises RefusedError without it."""
    if language not in TEXTS:
        raise BadInputError(
            f"--language: there is no consent text in {language!r}", f"there is one in: {', '.join(sorted(TEXTS))}"
        )
    typer.echo(TEXTS[language], err=True)
    if agreed:
        typer.echo("Agreed (--consent).", err=True)
        return
    try:
        agreed = typer.confirm("Has the member read this, and do they agree?", default=False, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise RefusedError(
            "without the member's consent nothing is read and nothing is kept",
            "once they have read it and agree: add --consent",
        )
