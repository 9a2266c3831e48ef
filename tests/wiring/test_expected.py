"""Which parts a cabinet has, and which of them it does not sell without."""

from pathlib import Path
from typing import Any

import pytest

from cabinet.parts import Part, Parts
from cabinet.wiring.expected import expect_parts
from tests.control.room import facts

FRONT = {"id": "door", "role": "front", "source": 0}
INSIDE = {"id": "top", "role": "interior", "source": 1}


def expected(folder: Path, **sections: Any) -> dict[str, Part]:
    parts = Parts(lambda _: None, lambda: 0.0)
    expect_parts(parts, facts(folder, **sections))
    return {part.name: part for part in parts}


def test_every_zone_and_camera_is_a_part_that_is_needed(tmp_path: Path) -> None:
    parts = expected(tmp_path, cameras=[FRONT, INSIDE])
    assert all(parts[name].needed for name in ("scale:s1", "scale:s2", "camera:door", "camera:top", "board", "lock"))


def test_a_cabinet_without_a_front_camera_is_told_what_to_add(tmp_path: Path) -> None:
    part = expected(tmp_path, cameras=[INSIDE])["camera:front"]
    assert (part.ok, part.needed, part.remedy) == (False, True, "add [[cameras]]")


@pytest.mark.parametrize(("codes", "needed"), [(True, False), (False, True)])
def test_faces_are_needed_only_where_no_code_opens(tmp_path: Path, *, codes: bool, needed: bool) -> None:
    assert expected(tmp_path, identity={"codes": codes})["faces"].needed is needed


def test_faces_that_are_switched_off_are_no_part(tmp_path: Path) -> None:
    assert "faces" not in expected(tmp_path, identity={"faces": False})


def test_the_cloud_is_not_needed_to_sell(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("00" * 32)
    parts = expected(tmp_path, mqtt={"host": "127.0.0.1", "key_file": tmp_path / "key"})
    assert not parts["cloud"].needed


@pytest.mark.parametrize("name", ["cloud", "temperature"])
def test_what_is_not_configured_is_no_part(tmp_path: Path, name: str) -> None:
    assert name not in expected(tmp_path)


def test_a_cold_cabinet_needs_its_probe(tmp_path: Path) -> None:
    assert expected(tmp_path, temperature={})["temperature"].needed


def test_every_part_that_is_needed_has_a_remedy(tmp_path: Path) -> None:
    parts = expected(tmp_path, cameras=[FRONT, INSIDE], temperature={})
    assert [part.name for part in parts.values() if part.needed and not part.remedy] == []


@pytest.mark.parametrize("part", ["housing", "maintenance"])
def test_nothing_is_sold_with_the_housing_open_or_a_technician_at_work(tmp_path: Path, part: str) -> None:
    found = expected(tmp_path)[part]
    assert (found.ok, found.needed) == (True, True)


@pytest.mark.parametrize("sections", [{}, {"temperature": {}}], ids=["ambient", "cold"])
def test_a_broken_thermometer_stops_the_sale_of_cold_goods_alone(tmp_path: Path, sections: dict[str, Any]) -> None:
    assert expected(tmp_path, **sections)["probe"].needed is bool(sections)
