"""`cabinet eval faces`: who is let in, who is asked, and who is turned away, on faces whose truth is known.

Goes the product's own way for each picture, always beside face_recognition as it comes.  Changes no picture.
"""

from pathlib import Path
from typing import Annotated

import typer

from cabinet.cli import show


def faces(
    enrol: Annotated[Path, typer.Option("--enrol", metavar="DIR", help="Members: DIR/NAME/*.jpg")],
    probe: Annotated[Path, typer.Option("--probe", metavar="DIR", help="Who comes: DIR/NAME/*.jpg")],
    impostor: Annotated[
        Path | None, typer.Option("--impostor", metavar="DIR", help="Strangers: DIR/NAME/*.jpg or DIR/*.jpg")
    ] = None,
    spoof: Annotated[
        Path | None, typer.Option("--spoof", metavar="DIR", help="Attacks: DIR/SPECIES/*.jpg or DIR/*.jpg")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option("--results", metavar="DIR", help="Write README.md, faces.json and pictures, over old ones."),
    ] = None,
    stock: Annotated[bool, typer.Option("--stock/--no-stock", help="Measure face_recognition beside.")] = True,
    progress: Annotated[bool, typer.Option("--progress/--no-progress", help="Say on stderr how far it is.")] = True,
    json: show.AsJson = False,
) -> None:
    """Recognise every picture as the front camera's frame, and say how often that was right.

    One picture is one attempt: find, choose, encode, search, decide, and the slower network where the small one is not
    sure. Pictures for which the cabinet would have asked for another frame are judged all the same (low_quality counts
    them, good_pictures leaves them out). A name in --probe that is in --enrol is that member; any other is a stranger,
    and so is everybody in --impostor. Without strangers each member's picture is tried once more, the member left out
    of the gallery.

    false_accepts: a stranger, or a member taken for somebody else, let in without digits. false_rejects: a member not
    let in and not asked for digits that would do. needs_digits is counted apart; far_with_digits adds the strangers
    who would guess four digits. apcer: attacks taken for people by one picture's score; bpcer: people refused as an
    attack. Liveness is not part of far and frr. Brackets and *_ci are Wilson 95 % intervals.

    Members are enrolled from pictures that the cabinet itself might refuse (small, grey); pictures above 1280 pixels
    are made smaller, for stock too. Stock's best threshold is the one that suits these very pictures, which nobody
    knows beforehand. Figures of time are of this machine. A picture that cannot be read is named under `skipped`.
    """
    from cabinet.cli.evaluate import faces_measure, faces_telling  # noqa: PLC0415  only where it is asked for

    given = faces_measure.folders(enrol, probe, impostor, spoof)
    answer = faces_measure.measure(given, lambda: faces_measure.eyes(stock=stock, tell=progress))
    if results is not None:
        from cabinet.cli.evaluate import faces_drawing  # noqa: PLC0415  matplotlib takes a second

        faces_telling.write_results(answer, results, faces_drawing.draw_each)
    if json:
        show.as_json(answer)
    else:
        faces_telling.show_all(answer)
