"""What the contacts and the bolt's switch say, and when it is believed."""

from firmware_bridge.firmware.fitted_by import Fitted
from firmware_bridge.firmware.switches import BOLT_MOVED, CLOSED, OPENED, Inputs, Switches


class Door:
    """A door whose contacts and bolt are set by hand; `run` looks every 10 ms."""

    def __init__(self, *, second_contact: bool = True) -> None:
        self.inputs = Inputs(door_a_shut=True, door_b_shut=True, bolt_home=True)
        self.switches = Switches(Fitted(second_contact=second_contact))
        self.now_ms = 0
        self.events: list[tuple[int, int]] = []
        self.run(0)

    def set(self, shut: bool, bolt_home: bool) -> None:  # noqa: FBT001  two words of one sentence
        self.inputs.door_a_shut = self.inputs.door_b_shut = shut
        self.inputs.bolt_home = bolt_home

    def run(self, for_ms: int = 10) -> int:
        seen = 0
        for _ in range(0, max(for_ms, 1), 10):
            self.now_ms += 10
            seen |= self.switches.look(self.inputs, self.now_ms)
        return seen


def test_a_door_opens_with_one_sample() -> None:
    door = Door()
    door.set(shut=False, bolt_home=False)
    assert door.run(10) == OPENED | BOLT_MOVED
    assert door.switches.door_open


def test_either_contact_alone_opens_the_door() -> None:
    for contact in ("door_a_shut", "door_b_shut"):
        door = Door()
        setattr(door.inputs, contact, False)
        assert door.run(10) == OPENED
        assert door.switches.contradict


def test_a_door_counts_as_shut_after_300_ms_of_both_contacts_and_the_bolt_home() -> None:
    door = Door()
    door.set(shut=False, bolt_home=False)
    door.run(100)
    door.set(shut=True, bolt_home=True)
    began_ms = door.now_ms + 10
    assert door.run(300) == BOLT_MOVED
    assert door.run(10) == CLOSED
    assert door.switches.shut_ms == began_ms


def test_a_bounce_starts_the_300_ms_anew() -> None:
    door = Door()
    door.set(shut=False, bolt_home=False)
    door.run(100)
    for _ in range(5):
        door.set(shut=True, bolt_home=True)
        assert not door.run(290) & CLOSED
        door.inputs.door_b_shut = False
        door.run(10)
    assert door.switches.door_open


def test_without_the_bolt_no_door_counts_as_shut() -> None:
    door = Door()
    door.set(shut=False, bolt_home=False)
    door.run(100)
    door.set(shut=True, bolt_home=False)
    assert door.run(5000) == 0
    door.inputs.bolt_home = True
    assert door.run(10) == BOLT_MOVED | CLOSED


def test_a_board_with_one_contact_does_not_look_at_the_second() -> None:
    door = Door(second_contact=False)
    door.inputs.door_b_shut = False
    assert door.run(100) == 0
    assert not door.switches.contradict
    door.inputs.door_a_shut = False
    assert door.run(10) == OPENED
    assert door.switches.gaping


def test_a_door_first_seen_shut_but_unbolted_counts_as_open() -> None:
    switches = Switches(Fitted())
    assert switches.look(Inputs(door_a_shut=True, door_b_shut=True), 0) == 0
    assert switches.door_open


def test_a_door_first_seen_shut_and_bolted_counts_as_shut_at_once() -> None:
    assert not Door().switches.door_open


def test_before_the_first_look_the_door_counts_as_open() -> None:
    assert Switches(Fitted()).door_open


def test_a_chattering_bolt_is_told_no_more_than_50_times_a_second() -> None:
    door, told = Door(), 0
    for n in range(1000):
        door.inputs.bolt_home = n % 2 == 0
        door.now_ms += 1
        told += door.switches.look(door.inputs, door.now_ms) == BOLT_MOVED
    assert 10 <= told <= 51


def test_an_opening_remembers_whether_the_bolt_was_home() -> None:
    door = Door()
    door.set(shut=False, bolt_home=False)
    door.run(10)
    assert door.switches.was_home
    door.set(shut=True, bolt_home=False)
    door.run(100)
    door.set(shut=False, bolt_home=False)
    door.run(10)
    assert not door.switches.was_home


def test_the_housing_counts_as_open_until_it_has_been_shut_for_300_ms() -> None:
    door = Door()
    door.inputs.housing_open = True
    door.run(10)
    assert door.switches.housing_was_open
    door.inputs.housing_open = False
    door.run(290)
    assert door.switches.housing_was_open
    assert not door.switches.housing_open
    door.run(20)
    assert not door.switches.housing_was_open
