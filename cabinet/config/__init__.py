"""One TOML file, read once, into frozen models.  What is wrong is refused with file, key and remedy.

Pydantic checks types, bounds and unknown keys, section by section: `computer`, `hardware`, `people`, `selling`,
`money`.  `whole` adds what only the whole file can show (a camera that sees an unknown zone), `loading` reads it and
finds paths that are not there, and `explaining` turns every complaint into one line that a technician can act on.
"""

from cabinet.config.computer import Cabinet, Screen, Storage
from cabinet.config.hardware import Board, Camera, Part, Temperature, Zone
from cabinet.config.loading import load
from cabinet.config.money import Credit, Mqtt
from cabinet.config.people import Identity, Risk
from cabinet.config.selling import OUR_MODEL, Items, Prices, Tally
from cabinet.config.values import MODELS, ConfigError, Section
from cabinet.config.whole import Config

__all__ = [
    "MODELS",
    "OUR_MODEL",
    "Board",
    "Cabinet",
    "Camera",
    "Config",
    "ConfigError",
    "Credit",
    "Identity",
    "Items",
    "Mqtt",
    "Part",
    "Prices",
    "Risk",
    "Screen",
    "Section",
    "Storage",
    "Tally",
    "Temperature",
    "Zone",
    "load",
]
