"""One list of what works: only changes are told, and only to those whom they concern."""

from dataclasses import dataclass, field

from cabinet.parts import Part, Parts
from cabinet.session.events import Event, PartLost, PartRestored
from cabinet.session.states import Fault


@dataclass
class Stage:
    now_s: float = 10.0
    posted: list[Event] = field(default_factory=list)
    told: list[Part] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.parts = Parts(self.posted.append, lambda: self.now_s)
        self.parts.on_change(self.told.append)


def test_an_expected_part_is_lost_until_it_is_heard_of() -> None:
    stage = Stage()
    stage.parts.expect("board", needed=True)
    assert stage.posted == [PartLost(10.0, Fault("board", "not heard of yet", new=True))]


def test_a_part_expected_in_order_ends_the_fault_that_a_former_life_left_behind() -> None:
    stage = Stage()
    stage.parts.expect("faces", needed=True, why=None)
    assert (stage.posted, [part.ok for part in stage.parts]) == ([PartRestored(10.0, "faces")], [True])


def test_a_part_that_selling_does_not_need_is_expected_in_silence() -> None:
    stage = Stage()
    stage.parts.expect("cloud", needed=False, why=None)
    assert (stage.posted, stage.told) == ([], [])


def test_a_needed_part_that_comes_is_told_to_the_machine() -> None:
    stage = Stage()
    stage.parts.expect("board", needed=True)
    stage.now_s = 11.0
    stage.parts.report("board", None)
    assert stage.posted[1:] == [PartRestored(11.0, "board")]


def test_the_same_report_again_is_no_news() -> None:
    stage = Stage()
    stage.parts.expect("board", needed=True)
    for _ in range(3):
        stage.parts.report("board", "unplugged")
    assert (len(stage.posted), len(stage.told)) == (2, 1)


def test_another_reason_is_news() -> None:
    stage = Stage()
    stage.parts.expect("board", needed=True)
    stage.parts.report("board", "unplugged")
    stage.parts.report("board", "wrong protocol")
    assert stage.posted[-1] == PartLost(10.0, Fault("board", "wrong protocol", new=True))


def test_a_part_that_has_been_in_order_is_new_no_more() -> None:
    stage = Stage()
    stage.parts.expect("board", needed=True)
    stage.parts.report("board", None)
    stage.parts.report("board", "unplugged")
    assert stage.posted[-1] == PartLost(10.0, Fault("board", "unplugged"))


def test_a_part_that_selling_does_not_need_is_told_to_listeners_alone() -> None:
    stage = Stage()
    stage.parts.expect("cloud", needed=False, why=None)
    stage.parts.report("cloud", "no broker")
    assert (stage.posted, [(part.name, part.why) for part in stage.told]) == ([], [("cloud", "no broker")])


def test_a_part_that_nobody_expected_stops_no_sale() -> None:
    stage = Stage()
    stage.parts.report("radio", "silent")
    assert (stage.posted, stage.parts.why("radio")) == ([], "silent")


def test_a_latched_loss_is_told_as_latched() -> None:
    stage = Stage()
    stage.parts.expect("temperature", needed=True, why=None)
    stage.parts.report("temperature", "too warm", latched=True)
    assert stage.posted[1:] == [PartLost(10.0, Fault("temperature", "too warm", latched=True))]


def test_a_part_keeps_its_remedy_and_remembers_since_when() -> None:
    stage = Stage()
    stage.parts.expect("board", needed=True, remedy="plug it in")
    stage.now_s = 12.0
    stage.parts.report("board", "unplugged")
    stage.now_s = 20.0
    stage.parts.report("board", "unplugged")
    (part,) = stage.parts
    assert part == Part("board", "unplugged", 12.0, needed=True, remedy="plug it in", new=True)


def test_parts_are_listed_by_name() -> None:
    stage = Stage()
    for name in ("lock", "board", "scale:s1"):
        stage.parts.expect(name, needed=True)
    assert [part.name for part in stage.parts] == ["board", "lock", "scale:s1"]


def test_nobody_knows_why_of_an_unknown_part() -> None:
    assert Stage().parts.why("board") is None
