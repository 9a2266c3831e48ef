"""What is wrong from the beginning: the cabinet does not sell, and says so wherever anybody looks."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from cabinet import config
from cabinet.cli.demo import goods
from cabinet.cli.demo.processes import CABINET, Bench
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from cabinet.config import OUR_MODEL
from cabinet.screenline import LINES
from cabinet.session.effects import Notice
from cabinet.sim import pictures
from tests.scenarios.command import Fleet, as_json, cabinet, typed

OUT_OF_ORDER = LINES[Notice.OUT_OF_SERVICE]


@dataclass(frozen=True)
class Wrong:
    """A bench with one thing wrong: which part must be named, a word of why, and a word of the remedy."""

    part: str
    why: str
    remedy: str
    spoil: Callable[[Path], Mapping[str, Mapping[str, Any]]] = lambda _: {}  # files in the folder → config sections
    board: Sequence[str] = ()
    front: bool = True
    stocked: bool = True
    then: Callable[[Bench], object] = lambda _: None


def another_model(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """Our model with one byte changed."""
    copied = folder / "item"
    shutil.copytree(OUR_MODEL, copied, ignore=shutil.ignore_patterns("training", "__pycache__"))
    content = bytearray((copied / "model.tflite").read_bytes())
    content[len(content) // 2] ^= 1
    (copied / "model.tflite").write_bytes(content)
    return {"items": {"model": str(copied)}}


def kill_a_cell(bench: Bench) -> object:
    return bench.board.control({"do": "cell", "zone": 1, "dead": True})


WRONG = {
    "a model whose hash is off": Wrong("recogniser", "sha256", "restore models/item", another_model),
    "an empty catalogue": Wrong("catalogue", "is empty", "cabinet catalog add", stocked=False),
    "a dead scale": Wrong("scale:s2", "sends nothing", "channel 1", then=kill_a_cell),
    "no front camera": Wrong("camera:front", 'role = "front"', "[[cameras]]", front=False),
    "a board of another protocol": Wrong("board", "protocol", "board", board=["--protocol", "9"]),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_it_refuses_to_sell_and_says_so_everywhere(wrong: Wrong) -> None:
    with TemporaryDirectory(prefix="shop-") as name:
        folder = Path(name)
        first = {"front": pictures.jpeg(pictures.lobby()), "top": goods.drawn(goods.DRAWN_SHELVES, 1)}
        bench = Bench(
            folder,
            interior=goods.interior(),
            pictures=first,
            settings=wrong.spoil(folder),
            board_options=wrong.board,
            front=wrong.front,
        )
        with bench, Fleet(bench.broker.host, bench.broker.port) as fleet:
            if wrong.stocked:
                bench.ask("catalog.add", sku="1", name="Cola", mass_g=545.0, unit_price=220)
            wrong.then(bench)
            wait_until(lambda: wrong.why in named(bench).get(wrong.part, ""), PATIENCE_S, lambda: str(named(bench)))
            bench.wait_for_state("OutOfService")
            wait_until(lambda: bench.status()["screen"] == OUT_OF_ORDER, PATIENCE_S, lambda: str(bench.status()))
            assert not bench.board.control({"do": "pull"})["ok"]
            told_by_telemetry(fleet, bench, wrong)
            told_by_doctor(bench, wrong)


def named(bench: Bench) -> dict[str, str]:
    """Part → why, of the faults on status."""
    return {fault["part"]: fault["why"] for fault in bench.status()["faults"]}


def told_by_telemetry(fleet: Fleet, bench: Bench, wrong: Wrong) -> None:
    def names_it(state: dict[str, Any]) -> bool:
        named = any(fault["part"] == wrong.part and wrong.why in fault["why"] for fault in state["faults"])
        return named and (state["state"], state["screen"], state["online"]) == ("OutOfService", OUT_OF_ORDER, True)

    fleet.wait_for("state", names_it)
    with Fleet(bench.broker.host, bench.broker.port) as latecomer:  # who comes later hears it too: it is retained
        latecomer.wait_for("state", names_it)
        assert latecomer.of("state", retained=True)


def told_by_doctor(bench: Bench, wrong: Wrong) -> None:
    parts = {part["part"]: part for part in as_json(bench.socket, "doctor", wants=1)["parts"]}
    part = parts[wrong.part]
    assert (part["ok"], part["needed"]) == (False, True)
    assert wrong.why in part["why"]
    assert wrong.remedy in part["remedy"]
    assert "FAIL" in cabinet(bench.socket, "doctor", wants=1)


# What does not even start.

CONFIG = f"""
[cabinet]
id = "{CABINET}"
currency = "USD"
data_dir = "data"
[board]
port = "/dev/no-such-board"
[[zones]]
id = "s1"
channel = 0
[[cameras]]
id = "front"
role = "front"
source = "/dev/no-such-camera"
[identity]
faces = false
"""


@pytest.mark.parametrize(
    ("right", "mistyped", "said"),
    [
        ("channel = 0", "chanel = 0", ["zones.0.chanel", "did you mean 'channel'?"]),
        ('data_dir = "data"', 'data_dir = "data"\nsize = "3 m"', ["cabinet.size", "unknown key"]),
        ("channel = 0", 'channel = 0\ncapacity_g = "20 kg"', ["zones.0.capacity_g", "valid number"]),
        ("[identity]", '[items]\nmodel = "no-such-folder"\n[identity]', ["items.model", "model.toml"]),
        ("faces = false", "faces = false\nface_distance = 7.0", ["identity.face_distance", "less than 0.6"]),
    ],
    ids=["key", "stranger", "unit", "path", "range"],
)
def test_a_mistyped_config_is_refused_with_file_key_and_remedy(
    tmp_path: Path, right: str, mistyped: str, said: list[str]
) -> None:
    path = tmp_path / "cabinet.toml"
    path.write_text(CONFIG.replace(right, mistyped))
    done = typed(["run", "--config", str(path)])
    assert done.returncode == 78, done.stderr
    assert all(word in done.stderr for word in (str(path), *said)), done.stderr


def test_doctor_names_what_is_wrong_in_the_config_of_a_cabinet_that_does_not_run(tmp_path: Path) -> None:
    path = tmp_path / "cabinet.toml"
    path.write_text(CONFIG.replace("channel = 0", "chanel = 0"))
    done = typed(["doctor", "--config", str(path), "--json"])
    assert done.returncode == 3
    assert "chanel" in done.stdout
    assert f"cabinet config check {path}" in done.stdout


def test_the_config_of_this_page_is_right_but_for_what_is_spoilt(tmp_path: Path) -> None:
    path = tmp_path / "cabinet.toml"
    path.write_text(CONFIG)
    assert config.load(path).cabinet.id == CABINET


def test_a_ledger_that_cannot_be_read_ends_the_start_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "cabinet.toml"
    path.write_text(CONFIG)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ledger.db").write_bytes(b"this is no ledger" * 500)
    done = typed(["run", "--config", str(path)])
    assert done.returncode == 1
    assert all(word in done.stderr for word in ("ledger.db", "damaged", "put back the last copy")), done.stderr
    assert "Traceback" not in done.stderr
