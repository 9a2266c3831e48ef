"""What the command line asks for is what the daemon answers."""

from cabinet.control.prices import PriceDesk
from tests.cli.answers import ANSWERS
from tests.control.room import Room

LENDING = {"board.let_go", "board.take_back"}  # of `cabinet board flash`, whose tests answer them by themselves


def test_every_operation_has_a_command_and_every_command_its_operation(room: Room) -> None:
    desk = PriceDesk(room.looking.config, room.ledger, lambda: None)
    rooms = (room.looking, room.changing, room.board, room.weighing, room.selftest, room.learning, desk)
    known = [name for one in rooms for name in one.operations()]
    assert len(known) == len(set(known))
    assert set(known) == set(ANSWERS) | LENDING
