"""What cannot be right is refused with where and why, before anything is sent."""

import math
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from cabinet.cli import photos
from cabinet.cli.errors import BadInputError
from cabinet.control.server import MAX_LINE
from tests.cli.answers import VISIT
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl

PRODUCT = {"--name": "Cola", "--mass-g": "505", "--price": "250"}


def add_product(cli: Cli, control: FakeControl, sku: str = "0708", **changed: str) -> str:
    """What a refused `catalog add` says; nothing was sent."""
    options = {**PRODUCT, **{f"--{name.replace('_', '-')}": value for name, value in changed.items()}}
    done = cli("catalog", "add", *_flat(options), "--", sku)
    assert (done.exit_code, control.asked) == (2, [])
    return done.stderr


def _flat(options: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in options.items()]


def test_a_decimal_price_is_refused_with_the_integer_to_write(cli: Cli, control: FakeControl) -> None:
    said = add_product(cli, control, price="2.50")
    assert "'2.50' is not a whole number of minor units" in said
    assert "write 250 if the currency has cents" in said


def test_a_price_with_a_decimal_comma_is_refused_too(cli: Cli, control: FakeControl) -> None:
    assert "write 250 if" in add_product(cli, control, price="2,5")


@pytest.mark.parametrize(
    ("price", "why"),
    [("-250", "is negative"), ("cheap", "is no amount"), ("", "is no amount"), ("NaN", "is no amount"),
     ("inf", "is no amount"), ("٢٥٠", "is not a whole"), ("1e3", "is not a whole")],
)  # fmt: skip  # a table
def test_a_price_that_is_none_is_refused(price: str, why: str, cli: Cli, control: FakeControl) -> None:
    assert why in add_product(cli, control, price=price)


@pytest.mark.parametrize("mass", ["0", "-5", "nan", "inf", "100001"])
def test_an_impossible_mass_is_refused(mass: str, cli: Cli, control: FakeControl) -> None:
    assert "--mass-g: is" in add_product(cli, control, mass_g=mass)


@pytest.mark.parametrize("sku", ["", "-x", "a b", "x" * 41, "../x"])
def test_a_sku_of_another_form_is_refused(sku: str, cli: Cli, control: FakeControl) -> None:
    assert "SKU" in add_product(cli, control, sku)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"name": " "}, "--name"), ({"name": "x" * 121}, "--name"), ({"tax": ""}, "--tax"),
        ({"count": "3"}, "of which shelf"), ({"zone": "a b"}, "no shelf's id"), ({"mass_sd_g": "-1"}, "--mass-sd-g"),
        ({"min_age": "151"}, "--min-age"), ({"zone": "s1", "count": "-1"}, "--count"),
    ],
)  # fmt: skip  # a table
def test_other_fields_out_of_bounds_are_refused_by_name(
    changed: dict[str, str], why: str, cli: Cli, control: FakeControl
) -> None:
    assert why in add_product(cli, control, **changed)


@pytest.mark.parametrize("words", [("unlock", "--reason", " "), ("unlock", "--reason", "x" * 201), ("unlock",),
                                   ("unlock", "--reason", "x", "--purpose", "shop"), ("visits", "show", "42"),
                                   ("visits", "list", "-n", "0"), ("stock", "set", "s1", "0708", "many"),
                                   ("members", "erase", " "), ("members", "add", " ", "--code"),
                                   ("members", "add", "Ada"), ("members", "add", "Ada", "--code", "--language", "xx"),
                                   ("status", "--sockt", "x"), ("nonsense",)])  # fmt: skip  # a table
def test_wrong_words_end_with_code_2_and_send_nothing(words: tuple[str, ...], cli: Cli, control: FakeControl) -> None:
    assert (cli(*words).exit_code, control.asked) == (2, [])


def refused(*files: Path) -> str:
    with pytest.raises(BadInputError) as caught:
        photos.encoded(photos.files_of(files, "--photo"), "--photo")
    return str(caught.value)


def test_a_photo_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path / "no.jpg") == f"--photo: {tmp_path / 'no.jpg'} cannot be read (No such file or directory)"


def test_a_photo_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("hello")
    assert refused(tmp_path / "a.jpg") == f"--photo: {tmp_path / 'a.jpg'} is no readable picture"


def test_half_a_photo_is_refused(tmp_path: Path, photo: Path) -> None:
    whole = tmp_path / "whole.jpg"
    Image.effect_noise((400, 300), 60).save(whole)
    (tmp_path / "half.jpg").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert "half.jpg is no readable picture" in refused(photo, whole, tmp_path / "half.jpg")


def test_a_picture_of_another_kind_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", format="GIF")
    assert "is no readable picture" in refused(tmp_path / "a.jpg")


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.mark.parametrize(("side", "why"), [(10_000, "has 10000 pixels a side"), (60_000, "is no readable picture")])
def test_a_small_file_that_would_unfold_to_a_huge_picture_is_refused_undecoded(
    side: int, why: str, tmp_path: Path
) -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", b"that is no picture")  # decoding it would fail with other words
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + pixels)
    assert f"bomb.png {why}" in refused(tmp_path / "bomb.png")


def test_a_file_over_8_mib_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "big.jpg").open("wb") as file:
        file.truncate(photos.MAX_BYTES + 1)
    assert "big.jpg has 8.0 MiB, at most 8" in refused(tmp_path / "big.jpg")


def test_a_picture_with_too_many_pixels_a_side_is_refused(tmp_path: Path) -> None:
    Image.new("1", (photos.MAX_SIDE + 1, 2)).save(tmp_path / "wide.png")
    assert "wide.png has 6001 pixels a side, at most 6000" in refused(tmp_path / "wide.png")


def test_more_than_20_photos_are_refused(photo: Path) -> None:
    assert "21 photos, at most 20" in refused(*[photo] * 21)


def test_more_bytes_than_a_line_carries_are_refused(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "MAX_TOTAL", math.floor(photo.stat().st_size * 1.5))
    assert "together" in refused(photo, photo)


def test_the_bound_on_bytes_keeps_the_request_below_the_daemons_line() -> None:
    assert photos.MAX_TOTAL * 4 / 3 + (1 << 20) < MAX_LINE


def test_a_folder_gives_its_pictures_in_order_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpg", "notes.txt"):
        (tmp_path / name).touch()
    assert [file.name for file in photos.files_of([tmp_path], "--photos")] == ["a.jpg", "b.PNG"]


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    assert "has no pictures" in refused(tmp_path)


def test_last_is_the_newest_visit(cli: Cli, control: FakeControl) -> None:
    cli("visits", "show", "last")
    assert control.asked == [("visits.list", {"limit": 1}), ("visits.show", {"visit": VISIT})]


def test_last_of_no_visits_is_refused(cli: Cli, control: FakeControl) -> None:
    control.answers["visits.list"] = {"visits": []}
    done = cli("visits", "show", "last")
    assert (done.exit_code, "no visits yet" in done.stderr) == (1, True)
