"""`python -m tests.benchmarks.face_sets FACES OUT`: real faces, split for `cabinet eval faces`; links, no copies.

FACES is the folder with orl/, azure_family/, official_portraits/ and antispoof_samples/.  Makes in OUT:

* orl: every person's first five pictures enrolled, the other five probed; no strangers, so each member is left out once
* orl-strangers: the same of every other person; all pictures of the rest are strangers
* colour: each person's first picture enrolled, the others probed; who has one picture alone is a stranger, as is a
  family's daughter, who resembles her brother more than anybody else here; the samples of attacks
"""

import argparse
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

ENROLLED = 5  # of a person's ten pictures
STRANGER = "Family1-Daughter"
PARTIAL = "partial"  # in the name of a picture of half a face


def split(faces: Path, out: Path) -> list[Path]:
    """The folders made, each with enrol/, probe/ and what else there is.  Overwrites only what it made."""
    return [
        _orl(faces / "orl", out / "orl"),
        _held_out(faces / "orl", out / "orl-strangers"),
        _colour(faces, out / "colour"),
    ]


def _orl(orl: Path, out: Path) -> Path:
    for person in _people(orl):
        pictures = _pictures(person)
        _link(out / "enrol" / person.name, pictures[:ENROLLED])
        _link(out / "probe" / person.name, pictures[ENROLLED:])
    return out


def _held_out(orl: Path, out: Path) -> Path:
    for n, person in enumerate(_people(orl)):
        pictures = _pictures(person)
        if n % 2:
            _link(out / "impostor" / person.name, pictures)
        else:
            _link(out / "enrol" / person.name, pictures[:ENROLLED])
            _link(out / "probe" / person.name, pictures[ENROLLED:])
    return out


def _colour(faces: Path, out: Path) -> Path:
    for person in (*_people(faces / "azure_family"), *_people(faces / "official_portraits")):
        pictures = [path for path in _pictures(person) if PARTIAL not in path.name]
        if len(pictures) == 1 or person.name == STRANGER:
            _link(out / "impostor" / person.name, pictures)
        else:
            _link(out / "enrol" / person.name, pictures[:1])
            _link(out / "probe" / person.name, pictures[1:])
    for path in _pictures(faces / "antispoof_samples"):
        if "spoof" in path.name:
            _link(out / "spoof" / path.stem, [path])
    return out


def _people(folder: Path) -> list[Path]:
    return sorted(place for place in folder.iterdir() if place.is_dir())


def _pictures(folder: Path) -> list[Path]:
    """By number where the name is one: 10.png is the last."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in {".png", ".jpg"}]
    return sorted(found, key=lambda path: (len(path.stem), path.stem))


def _link(folder: Path, pictures: Iterable[Path]) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for path in pictures:
        (folder / path.name).symlink_to(path.resolve())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.face_sets", description=__doc__)
    parser.add_argument("faces", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    for made in split(given.faces, given.out):
        options = [f"--{part.name} {part}" for part in sorted(made.iterdir())]
        sys.stdout.write(f"cabinet eval faces {' '.join(options)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
