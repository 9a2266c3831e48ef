"""The face worker's own process: loads face_recognition and answers until the daemon goes or has nothing to ask.

Pictures are looked at and forgotten; nothing here writes or logs a face.
"""

import contextlib
import os
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

from cabinet.adapters.faces.line import ENCODE, HEAD, read, tell

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

ANSWER_TIMEOUT_S = 5.0
LEAST_SCORE = 0.25  # of the detector; measured: faces 0.44 and up, patterns in the background 0.14 and less


def work(line: socket.socket, rest_s: float) -> None:
    """Answer until the other side goes, or nothing was asked for `rest_s`."""
    threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()
    try:
        import face_recognition  # noqa: PLC0415  this process exists for it
    except (ImportError, SystemExit) as error:  # it calls quit() where its models cannot be found
        why = f"the library cannot be imported ({type(error).__name__})"
        tell(line, {"fatal": why}, ANSWER_TIMEOUT_S)
        return
    import numpy as np  # noqa: PLC0415  only where there is a picture

    tell(line, {"ready": True}, ANSWER_TIMEOUT_S)
    while True:
        line.settimeout(rest_s)
        try:
            height, width, question, left, top, right, bottom = HEAD.unpack(read(line, HEAD.size))
            line.settimeout(ANSWER_TIMEOUT_S)
            pixels = read(line, height * width * 3)
        except (TimeoutError, EOFError):
            return
        rgb = np.ascontiguousarray(np.frombuffer(pixels, np.uint8).reshape(height, width, 3)[..., ::-1])
        if question == ENCODE:
            vectors = face_recognition.face_encodings(rgb, [(top, right, bottom, left)], model="small")
            answer: dict[str, Any] = {"vector": [float(x) for x in vectors[0]]}
        else:
            answer = {"places": _places(face_recognition.api, rgb)}
        tell(line, answer, ANSWER_TIMEOUT_S)


def _places(api: Any, rgb: "Pixels") -> list[dict[str, Any]]:  # noqa: ANN401  the library has no types
    """Each face by score: its box, and the middles of its eyes and its nose, as the small model finds them."""
    found, scores, _ = api.face_detector.run(rgb, 0, LEAST_SCORE)
    places = []
    for rectangle, score in zip(found, scores, strict=True):
        parts = [(part.x, part.y) for part in api.pose_predictor_5_point(rgb, rectangle).parts()]
        right, left = _middle(parts[2], parts[3]), _middle(parts[0], parts[1])
        box = [rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom()]
        places.append({"box": box, "score": float(score), "marks": [right, left, list(parts[4])]})
    return places


def _middle(one: tuple[int, int], other: tuple[int, int]) -> list[float]:
    return [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2]


def _leave_with(parent: int) -> None:
    """A worker that hangs in the library must not outlive a daemon that was killed."""
    while os.getppid() == parent:
        threading.Event().wait(1.0)
    os._exit(1)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError), socket.socket(fileno=int(sys.argv[1])) as _line:
        work(_line, float(sys.argv[2]))
