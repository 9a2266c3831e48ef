"""What stands where on a recorded visit's shelves, for the renderer: columns, rows, and the units in them at a time.

Every product of a shelf has a column, and all its units stand in it behind each other, so every take shows.  What is
put where it does not belong, and what a shopper brings along, stands in a column of its own at the right.
"""

from collections.abc import Iterable

from cabinet.proving.recorded import Move, Recorded
from cabinet.sim.shop import Plan
from cabinet.units import Sku, ZoneId

ROWS = 3  # units behind each other, where that is enough
MOST_FACINGS = 6  # that a shelf is divided into for the sake of its units; more products than that have one each


def facings(told: Recorded, zone: ZoneId) -> tuple[Sku, ...]:
    """The product of each column from the left."""
    columns = [sku for sku, count in _columns(told.plan, zone).items() for _ in range(count)]
    strangers = dict.fromkeys([*told.stood.get(zone, {}), *(m.sku for m in told.moves if m.zone == zone)])
    columns += [sku for sku in strangers if sku not in columns]
    return tuple(columns) or tuple(told.plan.wares)[:1]


def depth(plan: Plan) -> int:
    """Rows of the deepest column of the cabinet."""
    return max(
        [ROWS, *(-(-held[sku] // n) for zone, held in plan.shelves.items() for sku, n in _columns(plan, zone).items())]
    )


def standing(told: Recorded, zone: ZoneId, t: float) -> list[int]:
    """Units in each facing at the visit's t: the first column of a product is emptied first."""
    return _spread(facings(told, zone), depth(told.plan), told, zone, (m for m in told.moves if m.t <= t))


def place(told: Recorded, move: Move) -> tuple[int, int]:
    """The facing, and the row from its front, where this unit stood, or will stand."""
    full = depth(told.plan)
    stood = _spread(facings(told, move.zone), full, told, move.zone, (m for m in told.moves if m.t < move.t))
    own = [n for n, sku in enumerate(facings(told, move.zone)) if sku == move.sku]
    if move.action == "take":
        column = next((n for n in own if stood[n]), own[-1])
        return column, full - max(1, stood[column])
    column = next((n for n in reversed(own) if stood[n] < full), own[0])
    return column, max(0, full - 1 - stood[column])


def _spread(columns: tuple[Sku, ...], full: int, told: Recorded, zone: ZoneId, moves: Iterable[Move]) -> list[int]:
    left = dict(told.stood.get(zone, {}))
    for move in moves:
        if move.zone == zone:
            left[move.sku] = left.get(move.sku, 0) + (-1 if move.action == "take" else 1)
    counts = []
    for sku in reversed(columns):  # the last ones are full
        here = min(full, max(0, left.get(sku, 0)))
        left[sku] = left.get(sku, 0) - here
        counts.append(here)
    return counts[::-1]


def _columns(plan: Plan, zone: ZoneId) -> dict[Sku, int]:
    """One for each product, then more for those whose units stand deepest, while there is room."""
    held = {sku: count for sku, count in plan.shelves[zone].items() if count}
    columns = dict.fromkeys(held, 1)
    while held and sum(columns.values()) < MOST_FACINGS:
        deepest = max(held, key=lambda sku: held[sku] / columns[sku])
        if held[deepest] <= ROWS * columns[deepest]:
            break
        columns[deepest] += 1
    return columns
