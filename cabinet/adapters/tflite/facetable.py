"""Candidates of a face detector as rows of a table: which of them show the same face, and what becomes of those."""

import numpy as np
from numpy.typing import NDArray

INSIDE = 0.7  # a box of which so much lies within another shows the same face: an eye behind glasses

Table = NDArray[np.float64]  # a row a candidate: left, top, right, bottom, then x, y of each mark, then the score


def merged(rows: Table, overlap: float) -> Table:
    """One row for each face: candidates that overlap, averaged by their scores; the best first."""
    rows = rows[np.argsort(-rows[:, -1], kind="stable")]
    kept = []
    while len(rows):
        near = same(rows[0], rows, overlap)
        near[0] = True
        group = rows[near]
        mean = np.average(group, axis=0, weights=group[:, -1])
        mean[-1] = group[0, -1]
        kept.append(mean)
        rows = rows[~near]
    return np.array(kept) if kept else rows


def same(one: Table, others: Table, overlap: float) -> NDArray[np.bool_]:
    """Which of the other boxes show the face that this one shows."""
    wide = np.minimum(one[2], others[:, 2]) - np.maximum(one[0], others[:, 0])
    high = np.minimum(one[3], others[:, 3]) - np.maximum(one[1], others[:, 1])
    both = np.maximum(wide, 0) * np.maximum(high, 0)
    area, areas = (one[2] - one[0]) * (one[3] - one[1]), (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    return np.asarray((both > overlap * (area + areas - both)) | (both > INSIDE * np.minimum(area, areas)))


def unseen(rows: Table, known: Table, overlap: float) -> Table:
    """The rows that show none of the known faces."""
    new = [n for n, row in enumerate(rows) if not same(row, known, overlap).any()]
    return rows[new]


def covering(rows: Table, overlap: float) -> Table:
    """One box for each face, around all that was seen of it."""
    kept: list[NDArray[np.float64]] = []
    for row in rows[np.argsort(-rows[:, -1], kind="stable")]:
        there = next((n for n, other in enumerate(kept) if same(row, other[None], overlap).any()), None)
        if there is None:
            kept.append(row.copy())
        else:
            kept[there][:2] = np.minimum(kept[there][:2], row[:2])
            kept[there][2:4] = np.maximum(kept[there][2:4], row[2:4])
    return np.array(kept) if kept else rows
