"""What seems to have been taken while the door is open: near the truth, never money."""

import dataclasses
import typing
from pathlib import Path
from typing import Any

import pytest
from mypy import api

from cabinet.basket import pricing
from cabinet.basket.evidence import Header, Mass, Sighting
from cabinet.basket.interim import Change, changes, interim
from cabinet.basket.online import Level
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.verdict import Charge, Interim, Verdict
from cabinet.ledger.entries import ClosedVisit
from cabinet.shelfwatch import Follower
from cabinet.tallier import outcome_of
from cabinet.units import CameraId, Sku, ZoneId
from tests.basket.visits import CANDY, CHIPS, COLA, GUM, NUTS, SHOP, WATER, Scene, header

S1, S2, TOP = ZoneId("s1"), ZoneId("s2"), CameraId("top")
POLICY = TallyPolicy()
BATCHES = 8, 20  # samples


def changed(zone: ZoneId, t: float, delta_g: float) -> Change:
    return Change(zone, t - 0.5, t, delta_g, 0.6)


def held(*found: Change, looks: tuple[Sighting, ...] = (), about: Header | None = None) -> dict[Sku, int]:
    shown = interim(about or header(), found, looks, POLICY)
    return {sku: n for sku, _, n in shown.taken}


def look(sku: Sku, t: float, zone: ZoneId = S1, action: typing.Literal["take", "return"] = "take") -> Sighting:
    return Sighting(t, TOP, zone, action, t - 0.5, t, {sku: 0.9}, 0.1)


# One change.


@pytest.mark.parametrize(
    ("zone", "delta_g", "units"),
    [
        (S1, -505.0, {COLA: 1}),
        (S1, -1010.0, {COLA: 2}),
        (S1, -567.0, {COLA: 1, CHIPS: 1}),
        (S2, -435.0, {CANDY: 3}),
        (S2, -249.0, {NUTS: 1, GUM: 1}),
    ],
)
def test_the_nearest_product_of_the_zone_or_two_of_them(zone: ZoneId, delta_g: float, units: dict[Sku, int]) -> None:
    assert held(changed(zone, 3.0, delta_g)) == units


def test_a_product_of_another_zone_is_not_thought_of() -> None:
    assert interim(header(), [changed(S2, 3.0, -505.0)], (), POLICY) == Interim((), settled=False)


def test_no_more_is_shown_than_there_was() -> None:
    assert held(*(changed(S1, t, -505.0) for t in (3.0, 4.0, 5.0)), about=header(stock=2)) == {COLA: 2}


def test_names_are_in_order_and_nothing_has_a_price() -> None:
    shown = interim(header(), [changed(S2, 3.0, -211.0), changed(S1, 4.0, -505.0)], (), POLICY)
    assert shown == Interim(((COLA, "Cola", 1), (NUTS, "Nuts", 1)), settled=True)
    assert {field.name for field in dataclasses.fields(Interim)} == {"taken", "settled"}


def test_sight_breaks_a_tie_of_masses() -> None:
    twins = {**SHOP, WATER: dataclasses.replace(SHOP[WATER], mass_g=506.0)}
    about = header(twins)
    assert held(changed(S1, 3.0, -505.5), looks=(look(WATER, 3.1),), about=about) == {WATER: 1}
    assert held(changed(S1, 3.0, -505.5), looks=(look(COLA, 3.1),), about=about) == {COLA: 1}


def test_sight_does_not_outvote_the_scale() -> None:
    assert held(changed(S1, 3.0, -62.0), looks=(look(COLA, 3.1),)) == {CHIPS: 1}


@pytest.mark.parametrize("seen", [look(WATER, 9.0), look(WATER, 3.1, S2), look(WATER, 3.1, action="return")])
def test_looks_at_something_else_say_nothing(seen: Sighting) -> None:
    twins = {**SHOP, WATER: dataclasses.replace(SHOP[WATER], mass_g=509.0)}
    assert held(changed(S1, 3.0, -505.5), looks=(seen,), about=header(twins)) == {COLA: 1}


# Several.


def test_what_comes_back_is_held_no_more() -> None:
    assert held(changed(S1, 3.0, -505.0), changed(S1, 5.0, 505.0)) == {}


def test_it_may_come_back_to_another_zone() -> None:
    assert held(changed(S1, 3.0, -505.0), changed(S2, 5.0, 505.0)) == {}


def test_what_is_not_held_does_not_come_back() -> None:
    shown = interim(header(), [changed(S1, 3.0, -505.0), changed(S1, 5.0, 538.0)], (), POLICY)
    assert shown == Interim(((COLA, "Cola", 1),), settled=False)


def test_a_hand_that_rests_and_goes_is_not_goods() -> None:
    shown = interim(header(), [changed(S1, 3.0, 300.0), changed(S1, 5.0, -300.0)], (), POLICY)
    assert shown == Interim((), settled=True)


def test_a_hand_that_goes_with_goods_took_goods() -> None:
    assert held(changed(S1, 3.0, 300.0), changed(S1, 5.0, -805.0)) == {COLA: 1}


def test_goods_are_shown_though_an_own_bottle_still_stands_there() -> None:
    shown = interim(header(), [changed(S1, 3.0, 777.0), changed(S1, 5.0, -62.0)], (), POLICY)
    assert shown == Interim(((CHIPS, "Chips", 1),), settled=False)


def test_the_order_of_the_changes_given_does_not_matter() -> None:
    found = [changed(S1, 3.0, -505.0), changed(S2, 4.0, -145.0), changed(S1, 6.0, 505.0)]
    assert held(*found) == held(*reversed(found)) == {CANDY: 1}


def test_levels_are_made_to_changes() -> None:
    levels = (Level(0.0, 3.0, 900.0, 901.0, 3.0, 3.0), Level(3.5, 5.0, 396.0, 396.0, 4.0, 4.0))
    assert changes(S1, levels) == (Change(S1, 3.0, 3.5, -505.0, 5.0),)


@pytest.mark.parametrize(
    "about",
    [
        pytest.param(dataclasses.replace(header(), catalog={}), id="catalogue"),
        pytest.param(dataclasses.replace(header(), planogram={}, stock={}), id="planogram"),
    ],
)
def test_where_nothing_is_known_nothing_is_claimed(about: Header) -> None:
    assert interim(about, [changed(S1, 3.0, -505.0)], (), POLICY) == Interim((), settled=False)


# From the signal.


def told(scene: Scene, closed_t: float, samples: int) -> list[tuple[float, Interim]]:
    """Everything that is shown while the door is open, and when."""
    visit = scene.visit(closed_t)
    follower = Follower(visit.header, POLICY)
    events: list[tuple[float, Any]] = []
    for event in visit.events:
        if isinstance(event, Mass):
            for i in range(0, len(event.g), samples):
                part = Mass(round(event.t + i / event.hz, 4), event.zone, event.hz, event.g[i : i + samples])
                events.append((part.t + len(part.g) / event.hz, part))
        else:
            events.append((event.t, event))
    shown: list[tuple[float, Interim]] = []
    for t, event in sorted(events, key=lambda pair: pair[0]):
        if t < closed_t and follower.sensed(event) and (not shown or shown[-1][1] != follower.interim()):
            shown.append((t, follower.interim()))
    return shown


@pytest.mark.parametrize("samples", BATCHES)
@pytest.mark.parametrize("seed", range(5))
def test_takes_are_shown_within_a_second_and_put_backs_too(seed: int, samples: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3.0, "s1", COLA)
    scene.take(5.0, "s2", CANDY)
    scene.put(8.0, "s1", COLA)
    shown = told(scene, 11.0, samples)
    for done_t, units in ((3.3, {COLA: 1}), (5.3, {COLA: 1, CANDY: 1}), (8.3, {CANDY: 1})):
        now = [one for t, one in shown if t <= done_t + 1.0][-1]
        assert ({sku: n for sku, _, n in now.taken}, now.settled) == (units, True)


def test_while_a_hand_is_in_it_is_not_settled() -> None:
    scene = Scene()
    scene.press(3.0, "s1", 400.0, 2.0)
    shown = told(scene, 8.0, 8)
    assert [one.settled for t, one in shown if 3.1 < t < 5.0][:1] == [False]
    assert shown[-1][1] == Interim((), settled=True)


def test_a_visit_that_was_not_followed_from_the_beginning_is_never_settled() -> None:
    visit = Scene().visit(6.0)
    follower = Follower(visit.header, POLICY, whole=False)
    for event in visit.events:
        follower.sensed(event)
    assert not follower.interim().settled


# It cannot be charged.


def test_an_interim_is_no_verdict() -> None:
    assert Interim not in typing.get_args(Verdict)
    assert not issubclass(Interim, typing.get_args(Verdict))


def test_pricing_refuses_an_interim() -> None:
    shown: Any = Interim(((COLA, "Cola", 1),))
    with pytest.raises(AttributeError):
        pricing.lines(shown, SHOP)


def test_no_outcome_can_be_made_of_an_interim() -> None:
    shown: Any = Interim(((COLA, "Cola", 1),))
    with pytest.raises(AssertionError):
        outcome_of(shown)


def test_the_type_checker_refuses_an_interim_where_money_is_meant(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from cabinet.basket.verdict import Charge, Interim, Verdict\n"
        "from cabinet.ledger.entries import ClosedVisit\n"
        "from cabinet.units import Sku, VisitId\n"
        "shown = Interim(((Sku('1'), 'Cola', 1),))\n"
        "a: Verdict = shown\n"
        "b = Charge(shown.taken, 1.0)\n"
        "c = ClosedVisit(VisitId('v'), 'charge', lines=shown.taken)\n"
    )
    said, _, _ = api.run(["--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path / "cache"), str(wrong)])
    refused = {int(line.split(":")[1]) for line in said.splitlines() if "error:" in line}
    assert refused == {5, 6, 7}, said


def test_lines_of_a_charge_and_of_the_ledger_have_prices() -> None:
    for owner in (Charge, ClosedVisit):
        assert "Line" in str(typing.get_type_hints(owner)["lines"])
