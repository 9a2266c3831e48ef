"""What a request may hold: the rest is refused with its remedy before anything is done."""

import base64
from typing import Any

import pytest

from cabinet.control.requests import (
    MAX_PHOTOS,
    Refusals,
    RequestError,
    integer,
    number,
    photos,
    product,
    text,
)
from cabinet.ledger import EntryRefusedError

COLA: dict[str, Any] = {"name": "Cola", "mass_g": 505, "unit_price": 250}


@pytest.mark.parametrize("value", [None, "", "  ", 7, ["x"]])
def test_text_is_text_and_says_something(value: object) -> None:
    with pytest.raises(RequestError) as refused:
        text({"name": value}, "name")
    assert (str(refused.value), refused.value.remedy) == ("name is missing or empty", "give name as text")


@pytest.mark.parametrize("value", [-1, 11, 2.0, "3", True])
def test_a_count_is_whole_and_within_its_bounds(value: object) -> None:
    with pytest.raises(RequestError, match="count is"):
        integer({"count": value}, "count", 0, low=0, high=10)


def test_a_count_that_is_null_is_the_default() -> None:
    assert integer({"count": None}, "count", 4, low=0, high=10) == 4


def test_a_count_without_a_default_must_be_given() -> None:
    with pytest.raises(RequestError, match="count is None"):
        integer({}, "count", low=0, high=10)


@pytest.mark.parametrize("value", ["5", True, [5]])
def test_a_mass_is_a_number(value: object) -> None:
    with pytest.raises(RequestError, match="mass_g is"):
        number({"mass_g": value}, "mass_g")


def test_a_product_is_read_whole() -> None:
    found = product({**COLA, "mass_sd_g": 3, "tax": "beverage", "min_age": 18})
    assert (found.mass_g, found.unit_price, found.mass_sd_g, found.tax, found.min_age) == (
        505.0,
        250,
        3.0,
        "beverage",
        18,
    )


@pytest.mark.parametrize(
    "change",
    [{"name": ""}, {"mass_g": None}, {"unit_price": None}, {"unit_price": 2.5}, {"unit_price": -1}, {"min_age": 500}],
    ids=str,
)
def test_a_product_with_a_wrong_field_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        product({**COLA, **change})


def test_photographs_come_as_their_bytes() -> None:
    assert photos({"photos": [base64.b64encode(b"jpeg").decode()]}) == [b"jpeg"]


@pytest.mark.parametrize("given", [["no base64!"], [7], [None], [{"a": 1}], ["é"]], ids=str)
def test_what_is_no_base64_is_no_photograph(given: object) -> None:
    with pytest.raises(RequestError, match="not base64"):
        photos({"photos": given})


@pytest.mark.parametrize("given", ["abcd", [""] * (MAX_PHOTOS + 1)], ids=["text", "too many"])
def test_photographs_are_a_list_of_bounded_length(given: object) -> None:
    with pytest.raises(RequestError, match="too many"):
        photos({"photos": given})


@pytest.mark.parametrize("given", [{}, {"photos": None}, {"photos": []}], ids=str)
def test_no_photographs_are_none(given: dict[str, Any]) -> None:
    assert photos(given) == []


def test_what_the_ledger_refuses_is_told_to_whoever_asked() -> None:
    with pytest.raises(RequestError, match="negative") as refused, Refusals():
        raise EntryRefusedError("the price is negative")
    assert refused.value.remedy
