"""What the recogniser remembers of each product: a class mean and how far its photographs lie from it.

Numbers only, no picture and no model: cheap to import.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cabinet.units import Sku


@dataclass(frozen=True, slots=True)
class Reference:
    """`mean`: unit vector of the model's dimension.  `spread`: mean of 1 - cosine(photograph, mean), 0 and above.

    `count`: photographs it is made of.
    """

    mean: tuple[float, ...]
    spread: float = 0.0
    count: int = 1


Gallery = Mapping[Sku, Reference]
