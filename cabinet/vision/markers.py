"""Printed corner marks (ArUco, DICT_4X4_50): which one stands for which corner of which zone, found in a picture, and
the sheet to print.

Four marks a zone: with channel i they are 4 i (top left), 4 i + 1 (top right), 4 i + 2 (bottom right) and 4 i + 3.
Says what is in the picture; what that makes of a zone is decided in `calibration`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.units import ZoneId
from cabinet.vision.pictures import Picture, checked

CORNERS = ("top left", "top right", "bottom right", "bottom left")
SMALL = 1000  # pixels of width: a smaller picture is doubled first, for marks of 4 pixels a cell
A4_MM = 210, 297
DOTS_MM = 8  # 203 dots an inch
SIDE_MM = 30  # of a printed mark
WHITE_MM = 5  # around it: a mark without white is none
ZONES_A_PAGE = 5

_KIND = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)


@dataclass(frozen=True, slots=True)
class Marker:
    number: int
    corners: NDArray[np.float64]  # 4 x 2, pixels of the picture

    @property
    def centre(self) -> NDArray[np.float64]:
        return np.asarray(self.corners.mean(axis=0), np.float64)

    @property
    def side(self) -> float:
        return float(np.linalg.norm(self.corners - np.roll(self.corners, 1, axis=0), axis=1).mean())


def find(picture: Picture) -> list[Marker]:
    """Every mark in it, by number; one that is there twice, twice.  Raises ValueError for no picture."""
    grey = cv2.cvtColor(checked(picture), cv2.COLOR_BGR2GRAY)
    factor = 2.0 if grey.shape[1] < SMALL else 1.0
    if factor > 1:
        grey = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    asked = cv2.aruco.DetectorParameters()
    asked.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    asked.adaptiveThreshWinSizeMax = 53  # marks in shade beside a lamp
    corners, numbers, _ = cv2.aruco.ArucoDetector(_KIND, asked).detectMarkers(grey)
    if numbers is None:
        return []
    middle = (factor - 1) / 2  # a doubled pixel's middle lies between two
    found = [
        Marker(int(number), (np.asarray(four, np.float64).reshape(4, 2) - middle) / factor)
        for number, four in zip(np.ravel(numbers), corners, strict=True)
    ]
    return sorted(_once(found), key=lambda one: (one.number, *one.centre))


def numbers_of(channel: int) -> tuple[int, int, int, int]:
    """Of the four corners, in the order of CORNERS."""
    return 4 * channel, 4 * channel + 1, 4 * channel + 2, 4 * channel + 3


def sheets(channels: Mapping[ZoneId, int]) -> list[Picture]:
    """A4 pages, grey as BGR, a row of four marks a zone.  How large they come out of the printer does not matter."""
    zones = sorted(channels.items(), key=lambda one: one[1])
    return [_page(zones[first : first + ZONES_A_PAGE]) for first in range(0, len(zones), ZONES_A_PAGE)]


def _page(zones: Sequence[tuple[ZoneId, int]]) -> Picture:
    across, down = (mm * DOTS_MM for mm in A4_MM)
    page = np.full((down, across), 255, np.uint8)
    step = SIDE_MM + 2 * WHITE_MM + 8
    for row, (zone, channel) in enumerate(zones):
        top_mm = 15 + row * (step + 6)
        _write(page, f"zone {zone}, channel {channel}: upright, flat on the shelf, at its four corners", 9, top_mm)
        for column, number in enumerate(numbers_of(channel)):
            left, top = (9 + column * step) * DOTS_MM, (top_mm + 4) * DOTS_MM
            side, white = SIDE_MM * DOTS_MM, WHITE_MM * DOTS_MM
            cv2.rectangle(page, (left, top), (left + side + 2 * white, top + side + 2 * white), (200,), 1)  # cut here
            mark = cv2.aruco.generateImageMarker(_KIND, number, side)
            page[top + white : top + white + side, left + white : left + white + side] = mark
            _write(page, f"{zone} {CORNERS[column]} ({number})", 9 + column * step, top_mm + 4 + SIDE_MM + 14)
    return np.asarray(cv2.cvtColor(page, cv2.COLOR_GRAY2BGR), np.uint8)


def _write(page: Any, text: str, left_mm: float, base_mm: float) -> None:  # noqa: ANN401  cv2 wants no readonly array
    at = round(left_mm * DOTS_MM), round(base_mm * DOTS_MM)
    cv2.putText(page, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.75, (0,), 1, cv2.LINE_AA)


def _once(found: Sequence[Marker]) -> list[Marker]:
    """Without second outlines of the same mark."""
    kept: list[Marker] = []
    for one in sorted(found, key=lambda mark: -mark.side):
        if all(k.number != one.number or np.linalg.norm(k.centre - one.centre) > k.side / 2 for k in kept):
            kept.append(one)
    return kept
