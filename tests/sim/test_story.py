"""Stories: every sentence means its act, and what cannot be read or cannot happen is refused at its line."""

from pathlib import Path
from typing import get_args

import pytest

from cabinet.sim import acts as a
from cabinet.sim import shop
from cabinet.sim.acts import Act, Item
from cabinet.sim.rehearsal import rehearse
from cabinet.sim.sentences import sentence
from cabinet.sim.story import MOST_LINES, Story, StoryError, load, parse
from cabinet.units import Sku, ZoneId

FOLDER = Path(__file__).parents[2] / "cabinet" / "sim" / "stories"
FILES = sorted(FOLDER.glob("*.story"))
S1, S3 = ZoneId("s1"), ZoneId("s3")
COLA, CHIPS, GUM, BAR = Sku("cola"), Sku("chips"), Sku("gum"), Sku("backpack")


def one(sku: Sku = COLA, zone: ZoneId = S1, count: int = 1) -> Item:
    return Item(count, sku, zone)


SENTENCES: dict[str, Act] = {
    "ann comes": a.Come("ann"),
    "ann comes by face": a.Come("ann", "face"),
    "ann comes by code": a.Come("ann", "code"),
    "ann comes with a photo": a.Come("ann", "photo"),
    "ann comes with a mask": a.Come("ann", "mask"),
    "ann comes with a forged code": a.Come("ann", "forged code"),
    "ann comes with another's code": a.Come("ann", "other code"),
    "ann comes as a stranger": a.Come("ann", "stranger"),
    "tom serves": a.Serve("tom", "service"),
    "tom serves to service": a.Serve("tom", "service"),
    "tom serves to repair": a.Serve("tom", "service"),
    "tom serves to restock": a.Serve("tom", "restock"),
    "ann opens": a.Open("ann"),
    "ann opens the door": a.Open("ann"),
    "ann tries the door": a.Try("ann"),
    "ann's card declines": a.Card("ann", "declines"),
    "ann's card works again": a.Card("ann", "works"),
    "ann's card grants 5.00": a.Card("ann", "grants", 500),
    "the technician refunds 1.20": a.Refund("technician", 120),
    "the cloud refunds 12.05": a.Refund("cloud", 1205),
    "the provider is away": a.Befall("provider", "away"),
    "the provider is back": a.Befall("provider", "back"),
    "a day passes": a.Pass(86_400.0),
    "an hour passes": a.Pass(3600.0),
    "expect 1 visit": a.Expect("visits", number=1),
    "expect 3 visits": a.Expect("visits", number=3),
    "expect ann owes 3.20": a.Expect("owes", text="ann", number=320),
    "expect ann owes nothing": a.Expect("owes", text="ann"),
    "expect captured 3.20 once": a.Expect("captured", number=320),
    "expect captured 0.00 once": a.Expect("captured"),
    "expect returned 1.20 once": a.Expect("returned", number=120),
    "expect the hold released": a.Expect("released"),
    "expect the screen says Thank you.": a.Expect("screen", text="Thank you."),
    "expect the evidence stayed here": a.Expect("evidence"),
    "expect nothing secret in the logs": a.Expect("logs"),
    "eve pries the door": a.Pry("eve"),
    "eve pries the door open": a.Pry("eve"),
    "ann closes": a.Close("ann"),
    "ann closes the door": a.Close("ann"),
    "ann slams the door": a.Close("ann", slam=True),
    "ann bounces the door": a.Close("ann", slam=True, bounce=True),
    "ann takes cola from s1": a.Take("ann", (one(),)),
    "ann takes a cola from s1": a.Take("ann", (one(),)),
    "ann takes two cola from s1 at once": a.Take("ann", (one(count=2),), "at once"),
    "ann takes 12 cola from s1": a.Take("ann", (one(count=12),)),
    "ann takes cola from s1 and chips from s3 with two hands": a.Take(
        "ann", (one(), one(CHIPS, S3)), "with two hands"
    ),
    "ann takes cola, 2 gum from s1 and chips from s3": a.Take("ann", (one(), one(GUM, S1, 2), one(CHIPS, S3))),
    "ann takes cola from s1 slowly": a.Take("ann", (one(),), "slowly"),
    "ann takes cola from s1 bit by bit": a.Take("ann", (one(),), "bit by bit"),
    "ann takes cola from s1 in the slam": a.Take("ann", (one(),), "in the slam"),
    "ann puts cola on s3": a.Put("ann", (one(COLA, S3),)),
    "ann puts cola back on s1": a.Put("ann", (one(),)),
    "ann puts cola back on s1 and chips back on s3": a.Put("ann", (one(), one(CHIPS, S3))),
    "ann puts 2 backpack back on s1": a.Put("ann", (one(BAR, S1, 2),)),
    "tom stocks 6 cola, 2 gum on s1": a.Stock("tom", (one(count=6), one(GUM, S1, 2))),
    "tom counts 6 cola, 2 gum on s1": a.Count("tom", (one(count=6), one(GUM, S1, 2))),
    "ann leaves": a.Leave("ann"),
    "ann leaves bottle of 520.5 g on s1": a.Deposit("ann", "bottle", 520.5, S1),
    "ann fetches bottle from s1": a.Fetch("ann", "bottle", S1),
    "ann hands cola and 2 chips to bob": a.HandOver("ann", "bob", ((1, COLA), (2, CHIPS))),
    "ann leans on s1 with 900 g for 2.5 s": a.Lean("ann", S1, 900.0, 2.5),
    "ann touches s1": a.Lean("ann", S1, 120.0, 0.6),
    "ann waits 3 s": a.Pass(3.0),
    "ann waits 2 min": a.Pass(120.0),
    "0.5 s pass": a.Pass(0.5),
    "4 min pass": a.Pass(240.0),
    "2 h pass": a.Pass(7200.0),
    "1 day passes": a.Pass(86_400.0),
    "3 days pass": a.Pass(259_200.0),
    **{
        f"the camera top is {what}": a.Befall("camera:top", what)
        for what in ("covered", "frozen", "dark", "moved", "away", "fogged", "well")
    },
    **{
        f"the cell of s1 is {what}": a.Befall("cell:s1", what)
        for what in ("dead", "stuck", "saturated", "slipping", "spiking", "swapped", "well")
    },
    "the daemon is killed": a.Befall("daemon", "killed"),
    "the daemon is killed after 12 points": a.Befall("daemon", "killed after", 12.0),
    "the daemon is killed at the next step": a.Befall("daemon", "killed at the next step"),
    "the daemon starts": a.Befall("daemon", "starts"),
    "the power fails": a.Befall("power", "fails"),
    "the power returns": a.Befall("power", "returns"),
    "the board resets": a.Befall("board", "resets"),
    "the board is unplugged": a.Befall("board", "is unplugged"),
    "the board is plugged in": a.Befall("board", "is plugged in"),
    "the disk is full": a.Befall("disk", "is full"),
    "the disk cannot take a byte": a.Befall("disk", "cannot take a byte"),
    "the disk has room": a.Befall("disk", "has room"),
    "the broker is away": a.Befall("broker", "away"),
    "the broker is back": a.Befall("broker", "back"),
    "the broker loses answers": a.Befall("broker", "loses answers"),
    "the clock jumps 90 s": a.Befall("clock", "jumps", 90.0),
    "the clock jumps -2 h": a.Befall("clock", "jumps", -7200.0),
    "the clock jumps 400 days": a.Befall("clock", "jumps", 400 * 86_400.0),
    "the clock is lost": a.Befall("clock", "lost"),
    "a magnet holds the switch": a.Befall("magnet", "holds"),
    "a magnet leaves the switch": a.Befall("magnet", "leaves"),
    "the bolt jams in": a.Befall("bolt", "jams in"),
    "the bolt jams out": a.Befall("bolt", "jams out"),
    "the bolt is free": a.Befall("bolt", "is free"),
    "the compressor starts": a.Befall("compressor", "starts"),
    "the compressor stops": a.Befall("compressor", "stops"),
    "the air is 8.5 C": a.Befall("air", "is", 8.5),
    "the air is -4 C": a.Befall("air", "is", -4.0),
    **{f"the probe is {what}": a.Befall("probe", what) for what in ("open", "short", "frozen", "well")},
    "the model is missing": a.Befall("model", "missing"),
    "the model is well": a.Befall("model", "well"),
    "the price of cola becomes 250": a.Befall("price:cola", "becomes", 250.0),
    "the catalogue is empty": a.Befall("catalogue", "empty"),
    "expect charge": a.Expect("bill", ("charge",)),
    "expect charge 1 cola, 2 chips": a.Expect("bill", ("charge",), ((1, COLA), (2, CHIPS))),
    "expect charge cola and gum or review": a.Expect("bill", ("charge", "review"), ((1, COLA), (1, GUM))),
    **{f"expect {word}": a.Expect("bill", (word,)) for word in ("nothing", "review", "void", "serviced")},
    "expect incident": a.Expect("incident"),
    "expect incident opened without an unlock": a.Expect("incident", text="opened without an unlock"),
    "expect no incident": a.Expect("no incident"),
    **{
        f"expect the door {word}": a.Expect("door", text=word) for word in ("locked", "unlocked", "open", "shut")
    },
    "expect in service": a.Expect("service", text="in"),
    "expect out of service": a.Expect("service", text="out of"),
    "expect the books agree": a.Expect("books"),
    "expect the same bill again": a.Expect("again"),
    "expect no visit": a.Expect("no visit"),
    "ann takes back her consent": a.Withdraw("ann"),
    "bob takes back their consent": a.Withdraw("bob"),
    "expect nothing is kept of ann": a.Expect("forgotten", text="ann"),
    "expect total 260": a.Expect("total", number=260),
}  # fmt: skip


@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_means_its_act(text: str) -> None:
    assert sentence(text) == SENTENCES[text]


def test_every_kind_of_act_has_a_sentence() -> None:
    assert {type(act) for act in SENTENCES.values()} == set(get_args(Act))


def test_spaces_and_a_comment_do_not_change_a_sentence() -> None:
    assert parse("   ann   takes  cola from   s1   # quickly").lines[0].act == SENTENCES["ann takes cola from s1"]


# What cannot be read.

BAD: dict[str, str] = {
    "ann flies": "nobody flies; want NAME and one of comes",
    "ann": "nobody does anything",
    "9 comes": "'9' is no name",
    "ann comes by train": "comes 'by train': want 'by face'",
    "tom serves tea": "want: tom serves to restock",
    "ann opens s1": "want: ann opens the door",
    "ann tries": "want: ann tries the door",
    "eve pries": "want: eve pries the door open",
    "ann closes s1": "want: ann closes the door",
    "ann takes cola": "from which shelf? such as: 1 cola from s1",
    "ann takes cola from s1, chips": "from which shelf?",
    "ann takes 0 cola from s1": "0 units: want 1 to 99",
    "ann takes 100 cola from s1": "100 units: want 1 to 99",
    "ann takes some cola from s1": "'some cola': want a count and a product, such as: 2 cola",
    "ann puts cola": "on which shelf?",
    "ann leaves bottle on s1": "ann leaves bottle of 520 g on s1",
    "ann fetches bottle": "want: ann fetches bottle from s1",
    "ann hands cola": "want: ann hands cola to bob",
    "ann leans on s1": "want: ann leans on s1 with 900 g for 2 s",
    "ann waits": "want: ann waits 3 s",
    "ann waits 3 weeks": "want: ann waits 3 s",
    "the moon is full": "nothing is known of 'the moon is full': README of the simulator lists",
    "the camera top is happy": "nothing is known of",
    "expect charity": "'charity': want one of charge, nothing, review, void, serviced, incident",
    "expect review 1 cola": "want one of charge",
    "expect total many": "want one of charge",
    "with noise": "want: with noise 2",
    "with nonsense 3": "with nonsense: want one of noise",
    "shelf s1 has 3 cola": "want: shelf s1 holds 6 cola, 4 water",
    "shelf s1 holds many cola": "want a count and a product",
    "goods cola": "want: goods cola 505 g sd 3 g price 250",
    "ann takes caviar from s1": "no line describes caviar: goods caviar 100 g price 200",
    "ann takes cola from s9": "there is no shelf s9: s1, s2, s3, s4",
    "ann leans on s9 with 900 g for 2 s": "there is no shelf s9",
    "ann leaves bottle of 520 g on s9": "there is no shelf s9",
    "ann hands caviar to bob": "no line describes caviar",
}


@pytest.mark.parametrize("text", BAD)
def test_what_cannot_be_read_is_refused_with_file_line_and_what_would_be_right(text: str, tmp_path: Path) -> None:
    path = tmp_path / "my.story"
    path.write_text(f"# Title\nann comes\n\n{text}\nann leaves\n")
    with pytest.raises(StoryError) as caught:
        load(path)
    assert str(caught.value).startswith("my.story line 4: ")
    assert BAD[text] in str(caught.value)


@pytest.mark.parametrize(
    "text", ["the camera roof is covered", "the cell of s9 is dead", "the price of caviar becomes 3"]
)
def test_a_misfortune_of_what_is_not_there_is_refused(text: str) -> None:
    with pytest.raises(StoryError, match="line 1"):
        rehearse(parse(text))


def test_two_different_charges_are_refused_as_no_alternative() -> None:
    with pytest.raises(ValueError, match="charge"):
        sentence("expect charge 1 cola or charge 1 gum")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing happens in it"),
        ("# Only a title\nscenario 3\n", "nothing happens in it"),
        ("shelf s1 holds 3 caviar\nann comes", "shelf s1 holds caviar, which no line describes: goods caviar 100 g"),
        ("ann comes\n" * (MOST_LINES + 1), f"{MOST_LINES + 1} lines, at most {MOST_LINES}"),
    ],
)
def test_a_story_without_sense_is_refused_with_its_file(text: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "my.story"
    path.write_text(text)
    with pytest.raises(StoryError) as caught:
        load(path)
    assert str(caught.value).startswith("my.story: ")
    assert why in str(caught.value)


def test_as_many_lines_as_are_allowed_are_read() -> None:
    assert len(parse("ann comes\n" * MOST_LINES).lines) == MOST_LINES


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "my.story"
    path.write_bytes(b"ann comes \xff\xfe\n")
    with pytest.raises(StoryError, match=r"my\.story: is no text"):
        load(path)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.story")


# What a story says of itself and of its shop.


def test_a_story_has_title_scenarios_tags_and_what_it_waits_for() -> None:
    told = parse(
        "# Twice\n# more words\nscenario 3, peer: CHAI\nscenario 7\nlater lots and dates\ntags a, b\nann comes", "n"
    )
    assert (told.name, told.title, told.scenarios) == ("n", "Twice", ("3", "peer: CHAI", "7"))
    assert (told.later, told.tags, told.text) == ("lots and dates", ("a", "b"), "ann comes")
    assert [line.number for line in told.lines] == [7]


def test_a_story_without_a_title_is_called_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "my.story").write_text("ann comes  # not a title\n")
    assert load(tmp_path / "my.story").title == "my"


def test_a_story_that_describes_nothing_happens_in_the_usual_shop_or_in_the_one_given() -> None:
    assert parse("ann comes").plan == shop.usual()
    given = shop.plan({"gum": shop.USUAL["gum"]}, {"s1": {"gum": 2}})
    assert parse("ann comes", plan=given).plan is given
    assert parse("shelf s1 holds 1 cola\nann comes", plan=given).plan.shelves == {S1: {COLA: 1}}


def test_a_story_may_describe_goods_shelves_and_what_the_ledger_wrongly_believes() -> None:
    told = parse(
        "goods pie 300 g sd 4 g really 330 g price 410 age 18 like cola\n"
        "goods jam 250.5 g price 199\n"
        "shelf s1 holds 3 pie, cola and 2 jam\nshelf s2 holds nothing\nledger s1 says 5 pie\nann comes"
    )
    pie, jam = told.plan.wares[Sku("pie")], told.plan.wares[Sku("jam")]
    assert (pie.product.mass_g, pie.product.mass_sd_g, pie.true_g) == (300.0, 4.0, 330.0)
    assert (pie.product.unit_price, pie.product.min_age, pie.alike) == (410, 18, (COLA,))
    assert (jam.product.mass_g, jam.product.mass_sd_g, jam.true_g, jam.alike) == (250.5, None, 250.5, ())
    assert told.plan.shelves == {S1: {Sku("pie"): 3, COLA: 1, Sku("jam"): 2}, ZoneId("s2"): {}}
    assert told.plan.believed == {S1: {Sku("pie"): 5}, ZoneId("s2"): {}}
    assert told.plan.goods[Sku("pie")].mass_g == 330.0


def test_a_story_may_disturb_its_cells() -> None:
    assert parse("with noise 2\nwith drift 0.5\nann comes").settings == {"noise": 2.0, "drift": 0.5}


# What cannot happen.

COME = "ann comes\nann opens\n"
IMPOSSIBLE: dict[str, tuple[str, int, str]] = {
    "takes what is not there": (COME + "ann takes cola from s3", 3, "there is no cola on s3"),
    "takes more than there is": (COME + "ann takes 7 cola from s1", 3, "there is no cola on s1: it holds 6 water"),
    "takes through a closed door": ("ann comes\nann takes cola from s1", 2, "through a closed door"),
    "takes after the closing": (COME + "ann closes\nann takes cola from s1", 4, "through a closed door"),
    "touches through a closed door": ("ann comes\nann touches s1", 2, "through a closed door"),
    "stocks through a closed door": ("tom serves to restock\ntom stocks cola on s1", 2, "through a closed door"),
    "opens and nobody came": ("ann opens", 1, "ann opens a door that nobody unlocked: let ann come first"),
    "opens again and nobody came again": (COME + "ann closes\nann opens", 4, "that nobody unlocked"),
    "puts what is not held": (COME + "ann puts cola back on s1", 3, "ann has no cola in the hands: nothing"),
    "puts what was handed over": (
        COME + "ann takes cola from s1\nann hands cola to bob\nann puts cola on s1",
        5,
        "ann has no cola",
    ),
    "puts what was carried off": (
        COME + "ann takes cola from s1\nann leaves\nann puts cola on s1",
        5,
        "ann has no cola in the hands",
    ),
    "hands over what is not held": (COME + "ann hands cola to bob", 3, "ann has no cola"),
    "fetches what was not left": (COME + "ann fetches bottle from s1", 3, "there is no own:bottle on s1"),
    "fetches what was left elsewhere": (
        COME + "ann leaves bottle of 500 g on s1\nann fetches bottle from s3",
        4,
        "no own:bottle on s3",
    ),
    "closes a shut door": ("ann comes\nann closes", 2, "the door is shut already"),
    "closes twice": (COME + "ann closes\nann slams the door", 4, "the door is shut already"),
    "leaves a thing that nobody carries": (COME + "ann leaves anvil of 60000 g on s1", 3, "no hand carries that"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_the_impossible_is_refused_at_its_line(name: str) -> None:
    text, number, why = IMPOSSIBLE[name]
    told = parse(text, "my")
    with pytest.raises(StoryError) as caught:
        rehearse(told)
    assert str(caught.value).startswith(f"my line {number}: {text.splitlines()[number - 1]!r}: ")
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "eve pries the door open\neve takes cola from s1\neve closes",
        COME + "ann leaves bottle of 500 g on s1\nann fetches bottle from s1\nann closes",
        COME + "ann takes cola from s1\nann hands cola to bob\nbob puts cola back on s3\nbob closes",
        "tom serves to restock\ntom opens\ntom stocks 3 cola on s3\ntom takes 3 cola from s3\ntom closes",
        "ann tries the door",
        COME + "ann bounces the door\nann comes\nann opens",
    ],
)
def test_the_possible_is_not_refused(text: str) -> None:
    rehearse(parse(text))


# The stories that are told here.


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_story_of_the_folder_can_be_read_and_can_happen(path: Path) -> None:
    told = load(path)
    rehearse(told, path.name)
    assert told.scenarios
    assert told.title != told.name  # it says in words what it is about
    assert any(isinstance(line.act, a.Expect) for line in told.lines)  # and what must come of it


def every() -> list[Story]:
    return [load(path) for path in FILES]


def test_every_scenario_is_told() -> None:
    told = {number for story in every() for number in story.scenarios if number.isdigit()}
    assert {str(n) for n in range(1, 46)} <= told
    assert told <= {str(n) for n in range(1, 46)}


def test_every_fault_of_a_peer_is_told() -> None:
    """22, as the list of known faults has them; of CHAI's seven and Bits 'n Bytes' one, some share a story."""
    told = [peer for story in every() for peer in story.scenarios if peer.startswith("peer: ")]
    wanted = {"Intel": 7, "AWS": 5, "Bits 'n Bytes": 1, "CHAI": 7, "VisionVend": 1, "vender": 1}
    assert {name: told.count(f"peer: {name}") for name in wanted} == wanted
    assert len(told) == sum(wanted.values()) == 22


def test_a_file_is_named_after_its_first_scenario() -> None:
    for story in every():
        first = story.scenarios[0]
        number = f"{int(first):02}-" if first.isdigit() else "peer-"
        assert story.name.startswith(number), story.name
