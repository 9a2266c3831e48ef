"""Every member's templates as one matrix, and who is nearest to a face: 10,000 templates in well under 2 ms.

Computes; decides nothing.  Several templates of a member are as good as their nearest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cabinet.units import MemberId

SIZE: Final = 128  # numbers of a template

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Near:
    member: MemberId
    distance: float  # Euclidean, to the member's nearest template


class FaceGallery:
    def __init__(self, templates: Iterable[tuple[MemberId, Sequence[float]]] = ()) -> None:
        """Templates that are not SIZE finite numbers are left out and counted in `spoilt`."""
        rows, owners, self.spoilt = [], [], 0
        for member, vector in templates:
            row = np.asarray(vector, np.float32)
            if row.shape != (SIZE,) or not np.isfinite(row).all():
                self.spoilt += 1
                continue
            rows.append(row)
            owners.append(member)
        self._members = list(dict.fromkeys(owners))
        place = {member: n for n, member in enumerate(self._members)}
        self._owner = np.array([place[owner] for owner in owners], np.int64)
        self._rows: Matrix = np.stack(rows) if rows else np.empty((0, SIZE), np.float32)
        self._squares = np.einsum("ij,ij->i", self._rows, self._rows)

    def __len__(self) -> int:
        """Members, not templates."""
        return len(self._members)

    def searched(self, without: MemberId | None = None) -> int:
        """Templates that a face is compared with: as often a stranger may come near somebody."""
        if without is None or without not in self._members:
            return len(self._owner)
        return int(np.count_nonzero(self._owner != self._members.index(without)))

    def __contains__(self, member: object) -> bool:
        return member in self._members

    def nearest(self, vector: Sequence[float], most: int = 8) -> list[Near]:
        """The nearest members, each once.  Raises ValueError for a vector that holds no numbers."""
        face = np.asarray(vector, np.float32)
        if face.shape != (SIZE,) or not np.isfinite(face).all():
            raise ValueError(f"a face's vector must hold {SIZE} finite numbers")
        if not self._members:
            return []
        apart = self._squares - 2.0 * (self._rows @ face) + face @ face
        best = np.full(len(self._members), np.inf, np.float32)
        np.minimum.at(best, self._owner, apart)
        first = np.argpartition(best, most)[:most] if most < len(best) else np.arange(len(best))
        first = first[np.argsort(best[first], kind="stable")]
        return [Near(self._members[n], float(np.sqrt(max(best[n], 0.0)))) for n in first]
