"""The trace on disk: what is written is read back, what is torn is cut, what cannot be is refused."""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cabinet.basket.evidence import Bolt, Door, Gap, Happening, Health, Mass, Sighting, State, Temperature
from cabinet.basket.prices import Discount, LocalTime, Off, PriceList, PriceRules, Window
from cabinet.basket.tally import tally
from cabinet.basket.verdict import Charge
from cabinet.trace import Recorder, TraceError, digest, export, header_to_dict, read, read_truth, write
from cabinet.units import CameraId, Sku, ZoneId
from tests.basket.visits import COLA, SHOP, Scene, header

S1, TOP = ZoneId("s1"), CameraId("top")
EVENTS: tuple[Happening, ...] = (
    Mass(-0.5, S1, 80.0, (3021.0, None, 3020.4)),
    Bolt(0.0, locked=False),
    Door(1.32, open=True),
    State(1.4, "watching"),
    Sighting(4.1, TOP, S1, "take", 3.6, 4.1, {COLA: 0.93}, 0.07, (10, 20, 110, 220)),
    Health(5.0, "camera:top", ok=False, why="covered"),
    Temperature(5.0, "air", 4.6),
    Gap(6.2, "board", 0.8),
)


def begun(folder: Path) -> Recorder:
    return Recorder.create(folder, header())


def recorded(folder: Path) -> Path:
    recorder = begun(folder)
    for event in EVENTS:
        recorder.write(event)
    recorder.finish()
    return folder


def append(folder: Path, text: str | bytes) -> None:
    with (folder / "events.jsonl").open("ab") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def changed(folder: Path, **values: Any) -> None:
    (folder / "visit.json").write_text(json.dumps({**header_to_dict(header()), **values}))


# Reading and writing


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    visit = read(recorded(tmp_path / "v"))
    assert (visit.header, visit.events, visit.incomplete) == (header(), EVENTS, False)


PRICED = replace(
    header({COLA: replace(SHOP[COLA], deposit=25)}, {"s1": (COLA,)}),
    prices=PriceList(
        7,
        PriceRules(
            {"drink": 88_750}, "", (Discount("Evening", frozenset(), Off(200_000), Window(frozenset({4}), 1020, 1140)),)
        ),
        tax_included=False,
        local=LocalTime(4, 1025),
    ),
    member_age=18,
)


def test_the_price_list_and_the_proof_of_age_are_read_back(tmp_path: Path) -> None:
    Recorder.create(tmp_path / "v", PRICED).finish()
    assert read(tmp_path / "v").header == PRICED
    assert not any(isinstance(part, float) for part in _parts(header_to_dict(PRICED)["prices"]))


def test_a_trace_without_a_price_list_has_none_of_its_keys() -> None:
    told = header_to_dict(header())
    assert not {"prices", "member_age"} & set(told)
    assert not any("deposit" in product for product in told["catalog"].values())


def test_a_foreign_reader_may_pass_the_new_keys_over(tmp_path: Path) -> None:
    """A trace from elsewhere: keys of ours that we do not know ourselves."""
    (tmp_path / "v").mkdir()
    told = header_to_dict(PRICED)
    told["prices"]["loyalty"], told["tips"] = "gold", 3
    (tmp_path / "v" / "visit.json").write_text(json.dumps(told))
    (tmp_path / "v" / "events.jsonl").write_text("")
    assert read(tmp_path / "v").header == PRICED


@pytest.mark.parametrize(
    ("prices", "says"),
    [
        (7, "prices: expected an object"),
        ({"rules": {}}, "version: is missing"),
        ({"version": 1, "local": {"weekday": 7, "minute": 0}}, "local.weekday"),
        ({"version": 1, "tax_included": 1}, "tax_included: expected true or false"),
        ({"version": 1, "rules": {"discounts": [{"name": "x", "skus": "all", "bogof": 1}]}}, "bogof: unknown key"),
    ],
)
def test_prices_that_are_not_understood_are_refused(tmp_path: Path, prices: object, says: str) -> None:
    recorded(tmp_path / "v")
    changed(tmp_path / "v", prices=prices)
    with pytest.raises(TraceError, match=says):
        read(tmp_path / "v")


def _parts(value: object) -> Iterator[object]:
    yield value
    if isinstance(value, dict):
        for inner in value.values():
            yield from _parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner)


def test_a_tar_reads_like_its_folder(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "v")
    export(folder, tmp_path / "v.tar")
    assert read(tmp_path / "v.tar") == read(folder)


def test_an_exported_tar_holds_every_file_under_the_visits_name(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    recorder = begun(folder)
    recorder.frame(TOP, 1.5, b"jpeg")
    recorder.finish()
    export(folder, tmp_path / "v.tar")
    with tarfile.open(tmp_path / "v.tar") as tar:
        assert tar.getnames() == ["v/events.jsonl", "v/frames/top/00001500.jpg", "v/visit.json"]


def test_unpacked_and_packed_masses_mean_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    begun(folder).close()
    append(folder, '{"t": -1.0, "type": "mass", "zone": "s1", "g": 3021.0}\n')
    append(folder, '{"t": -0.9, "type": "mass", "zone": "s1", "g": null}\n')
    assert read(folder).events == (Mass(-1.0, S1, 80.0, (3021.0,)), Mass(-0.9, S1, 80.0, (None,)))


def test_event_types_of_the_future_are_passed_over(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "v")
    append(folder, '{"t": 7, "type": "smell", "of": "coffee"}\n')
    assert read(folder).events == EVENTS


def test_lines_that_came_out_of_step_are_put_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    recorder = begun(folder)
    for event in reversed(EVENTS):
        recorder.write(event)
    recorder.finish()
    times = [json.loads(line)["t"] for line in (folder / "events.jsonl").read_text().splitlines()]
    assert times == sorted(times)


# Torn tails


@pytest.mark.parametrize("tail", [b'{"t": 7.0, "type": "do', b"\0\0\0\0", b'{"t": 7}\xff\n{"t": 8}\n', b"17\n"])
def test_a_damaged_line_ends_the_trace_there(tmp_path: Path, tail: bytes) -> None:
    folder = recorded(tmp_path / "v")
    append(folder, tail)
    visit = read(folder)
    assert (visit.events, visit.incomplete) == (EVENTS, True)


@pytest.mark.parametrize("tail", [b'{"t": 7.0, "type": "do', b"\0" * 4096])
def test_after_a_restart_a_torn_line_is_cut_off_and_writing_goes_on(tmp_path: Path, tail: bytes) -> None:
    folder = recorded(tmp_path / "v")
    append(folder, tail)
    recorder = Recorder.resume(folder)
    assert (recorder.torn, recorder.last_t) == (True, 6.2)
    recorder.write(Door(9.0, open=False))
    recorder.finish()
    assert read(folder).events == (*EVENTS, Door(9.0, open=False))


def test_a_whole_last_line_without_its_newline_is_kept(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "v")
    append(folder, '{"t": 7.0, "type": "door", "open": false}')
    recorder = Recorder.resume(folder)
    recorder.write(Bolt(8.0, locked=True))
    recorder.finish()
    assert not recorder.torn
    assert read(folder).events[-2:] == (Door(7.0, open=False), Bolt(8.0, locked=True))


def test_every_cut_through_the_file_is_read_without_error(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "v")
    whole = (folder / "events.jsonl").read_bytes()
    for cut in range(len(whole)):
        (folder / "events.jsonl").write_bytes(whole[:cut])
        assert read(folder).events == EVENTS[: len(read(folder).events)]


# Refusals


def test_another_format_is_refused_with_both_names(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "v")
    changed(folder, format="cabinet-visit/2")
    with pytest.raises(TraceError, match=r"'cabinet-visit/2'.*'cabinet-visit/1'"):
        read(folder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"purpose": "party"}, "purpose: 'party' is none of shop"),
        ({"currency": 3}, "currency: expected a text"),
        ({"clock_trusted": "yes"}, "clock_trusted: expected true or false"),
        ({"stock": {"s1": {"1": -1}}}, "stock: s1: 1: expected a whole number"),
        ({"stock": {"s9": {}}}, "names zone 's9'"),
        ({"zones": {"s1": {"rate_hz": 0}}}, "zones: s1: rate_hz: 0 is not within"),
        ({"catalog": {"1": {"name": "x", "mass_g": 1, "unit_price": 1.5}}}, "catalog: 1: unit_price: expected"),
        ({"catalog": {"1": {"name": "x", "unit_price": 1}}}, "catalog: 1: mass_g: is missing"),
    ],
)
def test_a_header_that_cannot_be_is_refused_with_where_and_why(
    tmp_path: Path, values: dict[str, Any], message: str
) -> None:
    folder = recorded(tmp_path / "v")
    changed(folder, **values)
    with pytest.raises(TraceError, match=message):
        read(folder)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"t": 7, "type": "mass", "zone": "s9", "g": [1]}', "line 9: zone: 's9'"),
        ('{"t": 7, "type": "mass", "zone": "s1", "g": [1, "2"]}', r"line 9: g\[1\]: expected a finite number"),
        ('{"t": 7, "type": "mass", "zone": "s1", "g": [NaN]}', "line 9: NaN is no number"),
        ('{"t": "7", "type": "door", "open": true}', "line 9: t: expected a finite number"),
        ('{"t": 7, "type": "door"}', "line 9: open: is missing"),
        ('{"t": 7, "type": "gap", "part": "board", "seconds": -1}', "line 9: seconds: -1 is not within"),
        (
            '{"t": 7, "type": "sighting", "camera": "c", "zone": "s1", "action": "take", "scores": {}, "other": 0.6}',
            "line 9: scores: with other they sum to 0.600",
        ),
    ],
)
def test_an_event_that_cannot_be_is_refused_with_line_and_key(tmp_path: Path, line: str, message: str) -> None:
    folder = recorded(tmp_path / "v")
    append(folder, line + "\n")
    with pytest.raises(TraceError, match=message):
        read(folder)


def test_a_folder_without_a_trace_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"has no visit\.json"):
        read(tmp_path)
    with pytest.raises(TraceError, match=r"has no visit\.json"):
        Recorder.resume(tmp_path)


def test_a_file_that_is_no_tar_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.tar").write_bytes(b"not a tar at all")
    with pytest.raises(TraceError, match=r"v\.tar"):
        read(tmp_path / "v.tar")


# Recording


def test_a_trace_is_begun_once(tmp_path: Path) -> None:
    begun(tmp_path / "v").close()
    with pytest.raises(FileExistsError):
        begun(tmp_path / "v")


def test_a_number_that_is_none_is_not_written(tmp_path: Path) -> None:
    recorder = begun(tmp_path / "v")
    with pytest.raises(TraceError, match="Mass at 1"):
        recorder.write(Mass(1.0, S1, 80.0, (float("nan"),)))
    recorder.close()
    assert read(tmp_path / "v").events == ()


def test_after_the_end_nothing_is_accepted(tmp_path: Path) -> None:
    recorder = begun(tmp_path / "v")
    recorder.finish()
    with pytest.raises(TraceError, match="finished"):
        recorder.write(EVENTS[0])


@pytest.mark.parametrize(("t", "name"), [(1.5, "00001500.jpg"), (0.0, "00000000.jpg"), (-2.25, "-00002250.jpg")])
def test_a_frame_is_named_by_its_milliseconds(tmp_path: Path, t: float, name: str) -> None:
    recorder = begun(tmp_path / "v")
    assert recorder.frame(TOP, t, b"jpeg")
    recorder.close()
    assert (tmp_path / "v" / "frames" / "top" / name).read_bytes() == b"jpeg"


def test_frames_beyond_the_budget_are_refused_and_counted_but_masses_never(tmp_path: Path) -> None:
    recorder = Recorder.create(tmp_path / "v", header(), frame_bytes=10)
    assert [recorder.frame(TOP, t, b"12345678") for t in (1, 2)] == [True, False]
    recorder.write(EVENTS[0])
    recorder.close()
    assert recorder.frames_refused == 1
    assert read(tmp_path / "v").events == EVENTS[:1]


def test_the_frame_budget_outlives_a_restart(tmp_path: Path) -> None:
    recorder = Recorder.create(tmp_path / "v", header(), frame_bytes=10)
    recorder.frame(TOP, 1, b"12345678")
    recorder.close()
    again = Recorder.resume(tmp_path / "v", frame_bytes=10)
    assert not again.frame(TOP, 2, b"12345678")
    again.close()


def test_the_digest_covers_header_and_events_and_nothing_else(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "v")
    before = digest(folder)
    (folder / "tally.json").write_text("{}")
    assert digest(folder) == before
    append(folder, " ")
    assert digest(folder) != before
    assert len(before) == 64


def test_the_tally_is_written_with_what_the_caller_adds(tmp_path: Path) -> None:
    scene = Scene()
    scene.take(3, "s1", COLA)
    recorder = Recorder.create(tmp_path / "v", scene.header)
    visit = scene.visit(6)
    for event in visit.events:
        recorder.write(event)
    recorder.finish()
    verdict = tally(read(tmp_path / "v"))
    recorder.write_tally(verdict, {"version": "1.2"})
    written = json.loads((tmp_path / "v" / "tally.json").read_text())
    assert isinstance(verdict, Charge)
    assert (written["outcome"], written["total"], written["version"]) == ("charge", 250, "1.2")


def test_a_trace_read_back_gives_the_very_same_verdict(tmp_path: Path) -> None:
    scene = Scene()
    scene.take(3, "s1", COLA)
    visit = scene.visit(6)
    recorder = Recorder.create(tmp_path / "v", scene.header)
    for event in visit.events:
        recorder.write(event)
    recorder.finish()
    assert tally(read(tmp_path / "v")) == tally(visit)


def test_the_truth_is_read_where_it_is_known(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text(
        '{"basket": {"1": 2}, "moved": [["1", "s1", "s2"]], "outcome": "charge", "story": "x", "tags": ["slam"]}'
    )
    truth = read_truth(tmp_path)
    assert (truth.basket, truth.moved, truth.tags) == ({Sku("1"): 2}, (("1", "s1", "s2"),), ("slam",))


def test_the_example_traces_are_read_whole(shared_data: Path) -> None:
    for folder in sorted((shared_data / "traces").glob("example-*")):
        assert not read(folder).incomplete


def test_strays_are_written_and_read_and_may_be_missing(tmp_path: Path) -> None:
    visit = Scene().visit(5)
    astray = replace(visit, header=replace(visit.header, strays={ZoneId("s1"): (Sku("4-nuts"),)}))
    for name, one in (("with", astray), ("without", visit)):
        write(tmp_path / name, one)
        assert read(tmp_path / name).header == one.header


def test_a_number_too_large_for_any_scale_is_refused_with_its_place(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "visit")
    with (folder / "events.jsonl").open("a") as file:
        file.write('{"t": 7.0, "type": "mass", "zone": "s1", "hz": 80, "g": [' + "9" * 400 + "]}\n")
    with pytest.raises(TraceError, match=r"line 9: g\[0\]: expected a finite number"):
        read(folder)
