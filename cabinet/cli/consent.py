"""What a member agrees to before any photograph of theirs is read.  A changed text gets a new version."""

from typing import Final

import typer

from cabinet.cli.errors import BadInputError, RefusedError

VERSION: Final = "3"
TEXTS: Final = {
    "en": """\
Consent of the member (version 3)

  What is kept:   your name; if you want to be recognised by face, of each photograph two lists of 128 numbers that
                  describe the face; if you give them, the last four digits of your telephone number; if you ask for a
                  code, a fingerprint of that code; if you show a proof of age or of who you are, that you did, never
                  your date of birth or the document; this consent and its time. The photographs are not kept.
  At the door:    while you stand before the camera its pictures are looked at in this cabinet alone: for your face,
                  and for whether a living person stands there. They are not kept. What you take is recorded by scales
                  and by cameras that look at the shelves.
  What for:       to recognise you at this cabinet, unlock it for you and charge you for what you take. Nothing else.
  Where:          in this cabinet's own storage. Name, numbers and digits are sealed there and are not sent away;
                  purchases are sent under an id. With --share-face the operator's server and other cabinets may know
                  the numbers, too.
  Your choice:    without your face (--no-face) a code opens the cabinet just as well, at the same prices.
  How long:       the numbers are forgotten when you have not come for as long as the operator has set (three years at
                  the most); recordings of a visit after some weeks.
  Your right:     you may take back your face at any time and keep your code (cabinet members withdraw), have a copy of
                  all that is kept of you (cabinet members export), and have all of it erased (cabinet members erase),
                  with a signed receipt. Past purchases keep the bare id, because the law on accounts wants them.
""",
    "de": """\
Einwilligung des Mitglieds (Fassung 3)

  Gespeichert:    dein Name; wenn du am Gesicht erkannt werden willst, zu jedem Foto zwei Listen von 128 Zahlen, die das
                  Gesicht beschreiben; wenn du sie angibst, die letzten vier Ziffern deiner Telefonnummer; wenn du einen
                  Code willst, ein Fingerabdruck dieses Codes; wenn du dein Alter oder deine Identität nachweist, dass
                  du es getan hast, nie das Geburtsdatum oder das Dokument; diese Einwilligung und ihre Zeit. Die Fotos
                  selbst werden nicht gespeichert.
  An der Tür:     solange du vor der Kamera stehst, werden ihre Bilder nur in diesem Schrank angesehen: auf dein Gesicht
                  und darauf, ob ein lebender Mensch dort steht. Sie werden nicht gespeichert. Was du nimmst, zeichnen
                  Waagen auf und Kameras, die auf die Fächer sehen.
  Wozu:           um dich an diesem Schrank zu erkennen, ihn für dich zu öffnen und zu berechnen, was du nimmst. Zu
                  nichts anderem.
  Wo:             im Speicher dieses Schranks. Name, Zahlen und Ziffern liegen dort versiegelt und werden nicht
                  verschickt; Einkäufe werden unter einer Kennung verschickt. Mit --share-face dürfen auch der Server
                  und die anderen Schränke des Betreibers die Zahlen kennen.
  Deine Wahl:     auch ohne Gesicht (--no-face) öffnet ein Code den Schrank genauso, zu denselben Preisen.
  Wie lange:      die Zahlen werden vergessen, wenn du so lange nicht da warst, wie der Betreiber festgelegt hat
                  (höchstens drei Jahre); Aufzeichnungen eines Besuchs nach einigen Wochen.
  Dein Recht:     du kannst dein Gesicht jederzeit zurücknehmen und den Code behalten (cabinet members withdraw), eine
                  Kopie von allem bekommen, was über dich gespeichert ist (cabinet members export), und alles löschen
                  lassen (cabinet members erase), mit unterschriebener Quittung. Vergangene Einkäufe behalten die bloße
                  Kennung, weil das Handelsrecht sie verlangt.
""",
}  # fmt: skip
ASKED: Final = {
    "en": "Has the member read this, and do they agree?",
    "de": "Hat das Mitglied das gelesen, und stimmt es zu?",
}


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
        agreed = typer.confirm(ASKED[language], default=False, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise RefusedError(
            "without the member's consent nothing is read and nothing is kept",
            "once they have read it and agree: add --consent",
        )
