"""Every part that this cabinet has, whether it sells without it, and what a technician does when it fails."""

from cabinet.config import Config
from cabinet.parts import Parts


def expect_parts(parts: Parts, facts: Config) -> None:
    parts.expect("cabinet", needed=True, why="starting", remedy="wait; if it stays, look at board and lock")
    parts.expect("board", needed=True, remedy=f"is the board plugged in at {facts.board and facts.board.port}?")
    parts.expect("lock", needed=True, remedy="look at the board's faults, the bolt and the door switch")
    parts.expect("housing", needed=True, why=None, remedy="shut the board's housing; look who was at it")
    cold = facts.temperature is not None
    parts.expect("probe", needed=cold, why=None, remedy="look at the thermometer's plug and wire")
    parts.expect("maintenance", needed=True, why=None, remedy="wait: it ends by itself")
    parts.expect("bolt", needed=True, why="not heard of yet", remedy="look for an item in the bolt's way")
    parts.expect("catalogue", needed=True, remedy="cabinet catalog add SKU --name NAME --mass-g G --price MINOR")
    parts.expect("disk", needed=True, remedy="free some space on the disk of cabinet.data_dir")
    parts.expect("recogniser", needed=True, remedy="restore models/item from the release, or set items.model")
    for zone in facts.zones:
        parts.expect(f"scale:{zone.id}", needed=True, remedy=f"look at channel {zone.channel} of the board")
    for camera in facts.cameras:
        parts.expect(f"camera:{camera.id}", needed=True, remedy="look at its cable and at cameras.source")
    if not any(camera.role == "front" for camera in facts.cameras):
        parts.expect("camera:front", needed=True, why='no camera has role = "front"', remedy="add [[cameras]]")
    if facts.identity.faces:
        parts.expect("faces", needed=not facts.identity.codes, why=None, remedy="make setup; codes still open")
        parts.expect("face models", needed=False, why=None, remedy="restore models/face-* from the release")
    parts.expect("sealed", needed=False, why=None, remedy="put back device.key, or let the members enrol again")
    parts.expect("members", needed=False, why=None, remedy="look at the cloud; identity.members_days bounds it")
    if facts.identity.codes:
        parts.expect("codes", needed=not facts.identity.faces, why=None, remedy="make setup; faces still open")
    if facts.temperature is not None:
        parts.expect("temperature", needed=True, remedy="look at the probe; service and restock if it was warm")
    if facts.mqtt is not None:
        parts.expect("cloud", needed=False, remedy="sells without; look at mqtt.host and the network")
        parts.expect("roster", needed=False, why=None, remedy="look at the cloud; credit.roster_days bounds it")
    parts.expect("history", needed=True, why="not heard of yet", remedy="ask the operator: the cloud knows another")
