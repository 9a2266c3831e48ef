"""One visit as one page (A4 landscape, PNG): what was felt and seen, how it was read, and what else it could have been.

Draws what the trace, tally.json and evidence.json say and judges nothing.  matplotlib is loaded when a page is drawn
(it takes a second and 60 MB): call this from the command line or a background thread only.
"""

from collections.abc import Sequence
from pathlib import Path


def draw_visit(folder: Path, out: Path, states: Sequence[tuple[float, str]] = ()) -> None:
    """Draw the trace in `folder` to the PNG `out`; `states` (t, name) replace those of the trace.

    tally.json and evidence.json are used where they are there.  TraceError where the trace cannot be read.
    """
    from cabinet.picture.layout import draw  # noqa: PLC0415  matplotlib, see above
    from cabinet.picture.told import gather  # noqa: PLC0415  numpy, for the same callers

    draw(gather(folder, states), out)
