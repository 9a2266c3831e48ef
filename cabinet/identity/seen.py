"""What a frame shows of a face before anybody asks whose it is: place, quality, liveness.  Numbers, no pictures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a face is to recognise.  Measured on the camera's own pixels."""

    height_px: float  # of the face's box
    sharpness: float  # variance of the Laplacian of the face at 128 x 128, grey
    brightness: float  # mean grey of the face, 0 … 255
    contrast: float  # standard deviation of that grey
    yaw: float  # -1 … 1: where the nose is between the ears; 0 looks at us, negative to the picture's left
    pitch: float  # -1 … 1: where the nose is between eyes and mouth; 0 looks at us, negative up
    roll_deg: float  # of the line through the eyes
    cut: bool = False  # the box reaches over the frame's edge


@dataclass(frozen=True, slots=True)
class SeenFace:
    """One face of a frame.  `marks`: right eye, left eye, nose, mouth, right ear, left ear (x, y in pixels), as
    BlazeFace gives them; `live`: 0 (an attack) … 1 (a person), None where no model looked at it.
    """

    left: int
    top: int
    right: int
    bottom: int
    score: float  # of the detector, 0 … 1
    quality: Quality
    marks: tuple[tuple[float, float], ...] = ()
    live: float | None = None
    eyes_open: float | None = (
        None  # height of the eyes' openings by their width (eye aspect ratio); None: not looked at
    )

    @property
    def area(self) -> int:
        return max(self.right - self.left, 0) * max(self.bottom - self.top, 0)
