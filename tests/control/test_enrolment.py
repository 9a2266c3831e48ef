"""Photographs are looked at and forgotten; what stays is numbers."""

import asyncio
from pathlib import Path

import pytest

from cabinet.control.enrolment import MAX_SIDE, decode
from cabinet.control.requests import RequestError
from cabinet.ledger import Ledger
from cabinet.units import Sku
from tests.control.room import DARK, FACE_MODEL, GOOD, Room, photo


def test_one_template_a_photograph(room: Room) -> None:
    templates = asyncio.run(room.enrolment.faces([photo(GOOD), photo(GOOD + 20)]))
    assert [{model: len(vector) for model, vector in one.items()} for one in templates] == [{FACE_MODEL: 128}] * 2


def test_a_photograph_without_a_face_is_named_by_its_number(room: Room) -> None:
    with pytest.raises(RequestError, match="photograph 2: no face") as refused:
        asyncio.run(room.enrolment.faces([photo(GOOD), photo(DARK)]))
    assert "well lit" in refused.value.remedy


def test_faces_that_are_switched_off_are_refused(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        room = Room(tmp_path, ledger, enroller=None)
        with pytest.raises(RequestError, match="switched off"):
            asyncio.run(room.enrolment.faces([photo(GOOD)]))


def test_without_a_recogniser_no_reference_is_made(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        room = Room(tmp_path, ledger, judge=None)
        with pytest.raises(RequestError, match="not in order"):
            asyncio.run(room.enrolment.sight_of(Sku("1"), [photo(GOOD)]))


def test_a_recogniser_that_makes_no_sense_any_more_teaches_nothing(room: Room) -> None:
    room.enrolment.recogniser.trouble = lambda: "one answer for every picture"  # type: ignore[union-attr]  # a fake
    with pytest.raises(RequestError, match="not in order"):
        asyncio.run(room.enrolment.sight_of(Sku("1"), [photo(GOOD)]))


@pytest.mark.parametrize("content", [b"", b"no picture", photo(GOOD)[:40]], ids=["empty", "text", "cut"])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(RequestError, match="photograph 3 is no picture"):
        decode(content, 3)


def test_a_picture_of_too_many_pixels_is_refused() -> None:
    import numpy as np

    from cabinet.sim import pictures

    wide = pictures.jpeg(np.zeros((8, MAX_SIDE + 1, 3), np.uint8))
    with pytest.raises(RequestError, match="too large"):
        decode(wide, 1)
