"""The tally with something taken from it."""

from cabinet.basket.baselines.ablation import added, alone, without_learnt, without_sight
from cabinet.basket.evidence import Gap, Health, Mass, Sighting, Visit
from cabinet.basket.tally import tally
from cabinet.basket.verdict import Account, Charge, Line, Nothing, Review
from tests.basket.visits import CANDY, COLA, SHOP, Scene, header


def carried() -> Visit:
    """A cola goes from one shelf to the other, and a candy leaves."""
    scene = Scene()
    scene.take(3, "s1", COLA)
    scene.put(6, "s2", COLA)
    scene.take(9, "s2", CANDY)
    return scene.visit(12)


def line(n: int = 1) -> Line:
    return Line(COLA, SHOP[COLA].name, n, SHOP[COLA].unit_price, SHOP[COLA].tax)


def test_without_sight_everything_else_stays() -> None:
    visit = carried()
    bare = without_sight(visit)
    assert any(isinstance(e, Sighting) for e in visit.events)
    assert (bare.header, bare.events) == (
        visit.header,
        tuple(e for e in visit.events if not isinstance(e, Sighting)),
    )


def test_without_learnt_masses_every_spread_is_the_usual_share() -> None:
    visit = without_learnt(carried())
    assert {p.mass_sd_g for p in visit.header.catalog.values()} == {None}
    assert [p.mass_g for p in visit.header.catalog.values()] == [p.mass_g for p in SHOP.values()]


def test_each_zone_alone_has_its_own_samples_and_the_cabinets_door() -> None:
    visit = carried()
    parts = alone(visit)
    masses = sum(isinstance(e, Mass) for e in visit.events)
    assert [list(part.header.zones) for part in parts] == [["s1"], ["s2"]]
    assert sum(isinstance(e, Mass) for part in parts for e in part.events) == masses
    assert all(len([e for e in part.events if not isinstance(e, Mass | Sighting)]) == 4 for part in parts)
    assert all(set(camera.sees) <= set(part.header.zones) for part in parts for camera in part.header.cameras.values())


def test_a_zone_alone_is_not_blamed_for_its_neighbours_cells() -> None:
    visit = Visit(header(), (Health(1.0, "scale:s2", ok=False), Gap(1.0, "board", 2.0)))
    assert [len(part.events) for part in alone(visit)] == [1, 2]


def test_what_is_carried_between_zones_is_not_understood_zone_by_zone() -> None:
    visit = carried()
    together = tally(visit)
    assert isinstance(together, Charge)
    assert [one.sku for one in together.lines] == [CANDY]
    apart = added([tally(part) for part in alone(visit)], visit.header)
    assert not isinstance(apart, Charge) or apart.lines != together.lines


def test_bills_of_zones_add_up_and_their_doubts_multiply() -> None:
    total = added([Charge((line(),), 0.9), Charge((line(2),), 0.5), Nothing(1.0)], header())
    assert isinstance(total, Charge)
    assert (total.lines, total.confidence) == ((line(3),), 0.45)


def test_nothing_from_every_zone_is_nothing() -> None:
    assert isinstance(added([Nothing(0.9), Nothing(0.9)], header()), Nothing)


def test_one_zones_review_sends_the_whole_visit_to_a_person_with_every_guess() -> None:
    doubt = Review("a doubt", Account(confidence=0.5), best_guess=(line(),))
    total = added([Charge((line(),), 0.8), doubt], header())
    assert isinstance(total, Review)
    assert (total.reason, total.best_guess, total.account.confidence) == ("a doubt", (line(2),), 0.4)
