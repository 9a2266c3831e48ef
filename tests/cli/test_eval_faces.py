"""`cabinet eval faces`: its counts on faces that a fake sees, its refusals, and the real thing on real faces."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from cabinet.cli.app import app
from cabinet.cli.errors import RefusedError
from cabinet.cli.evaluate import faces_drawing, faces_measure, faces_pictures, faces_stock, faces_telling
from cabinet.cli.evaluate.faces_measure import Eyes, Folders
from cabinet.cli.evaluate.faces_pictures import FRAME, Photo, framed, people
from cabinet.cli.evaluate.faces_seen import Look
from cabinet.cli.evaluate.faces_sums import Crowd
from cabinet.cli.evaluate.faces_tail import tail
from cabinet.greeter.asking import Looking
from cabinet.greeter.faces import FaceDesk
from cabinet.identity import decide
from cabinet.identity.budget import Tail
from cabinet.identity.liveness import LiveRules
from cabinet.identity.recognise import Rules
from cabinet.identity.seen import Quality, SeenFace
from cabinet.ports import Face, PortError
from cabinet.units import VisitId

RULES = Rules(1e-4, 1e-5, 0.5, 0.05, Tail(0.6, 5e-4, 0.09))  # 0.5 alone, up to 0.512 with digits in a small gallery
LIVE = LiveRules("challenge", 0.8, 0.2)
GOOD = Quality(200.0, 100.0, 120.0, 50.0, 0.0, 0.0, 0.0)
NEAR, DOUBTFUL, FAR = 40, 129, 160  # of 255: how far a picture is from its person's template
NOBODY, BLURRED, PAIR, BREAKS = 1, 2, 3, 4


class PixelFaces:
    """Sees what `shot` wrote: whose face it is, how like them, and what is the matter with it."""

    model, reference_model = "small", "slow"

    def __init__(self) -> None:
        self.asked_again = 0

    async def find(self, picture: Any) -> Sequence[SeenFace]:
        _, _, what = (int(value) for value in picture[picture.shape[0] // 2, picture.shape[1] // 2])
        live = int(picture[picture.shape[0] // 2, 0, 0]) / 255
        face = SeenFace(0, 0, 100, 120, 0.9, GOOD, live=live)
        if what == BREAKS:
            raise PortError("the model fell over")
        if what == NOBODY:
            return []
        if what == PAIR:
            away = replace(GOOD, yaw=0.9)
            return [replace(face, quality=away), replace(face, left=200, right=300, quality=away)]
        return [replace(face, quality=replace(GOOD, sharpness=0.1))] if what == BLURRED else [face]

    async def encode(self, picture: Any, face: SeenFace) -> Sequence[float]:
        who, off, _ = (int(value) for value in picture[picture.shape[0] // 2, picture.shape[1] // 2])
        return [0.5 if n == who else off / 255 if n == 127 else 0.0 for n in range(128)]

    async def reference(self, picture: Any, face: SeenFace) -> Sequence[float]:
        self.asked_again += 1
        return await self.encode(picture, face)

    async def attend(self, picture: Any, face: SeenFace) -> SeenFace:
        return face

    async def enrol(self, picture: Any) -> Face:
        return Face((await self.find(picture))[0], {})


def shot(path: Path, who: int, off: int = NEAR, what: int = 0, live: float = 1.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.full((40, 40, 3), (who, off, what), np.uint8)
    picture[:, :8] = round(255 * live)
    cv2.imwrite(str(path), picture)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Three members of one picture each, each seen once more."""
    for who, name in enumerate(("ann", "bob", "cid")):
        shot(tmp_path / "enrol" / name / "1.png", who, 0)
        shot(tmp_path / "probe" / name / "2.png", who)
    return tmp_path


def measured(place: Path, rules: Rules = RULES) -> dict[str, Any]:
    def maybe(name: str) -> Path | None:
        return place / name if (place / name).exists() else None

    given = faces_measure.folders(place / "enrol", place / "probe", maybe("impostor"), maybe("spoof"))
    return faces_measure.measure(given, lambda: Eyes(PixelFaces(), rules, LIVE, None))


def counts(answer: Mapping[str, Any], *names: str) -> list[Any]:
    return [answer[name] for name in names]


def test_members_who_look_like_themselves_are_let_in(place: Path) -> None:
    answer = measured(place)
    assert counts(answer, "probes", "matched", "needs_digits", "false_rejects", "frr") == [3, 3, 0, 0, 0.0]


def test_a_member_who_looks_like_nobody_is_a_false_reject(place: Path) -> None:
    shot(place / "probe" / "ann" / "3.png", 0, FAR)
    answer = measured(place)
    assert counts(answer, "false_rejects", "frr", "rejected_because") == [1, 0.25, {"unknown": 1}]


def test_a_member_who_is_asked_for_digits_is_counted_apart(place: Path) -> None:
    shot(place / "probe" / "ann" / "3.png", 0, DOUBTFUL)
    answer = measured(place)
    assert counts(answer, "needs_digits", "false_rejects", "false_accepts") == [1, 0, 0]


def test_a_member_taken_for_another_is_a_false_accept(place: Path) -> None:
    shot(place / "probe" / "ann" / "3.png", 1)
    shot(place / "impostor" / "eve" / "1.png", 9)
    answer = measured(place)
    assert counts(answer, "false_accepts", "misidentified", "false_rejects") == [1, 1, 0]


def test_a_stranger_who_is_let_in_is_a_false_accept(place: Path) -> None:
    shot(place / "impostor" / "eve" / "1.png", 0)
    shot(place / "impostor" / "fay" / "1.png", 9)
    answer = measured(place)
    assert counts(answer, "impostors", "false_accepts", "far") == [2, 1, 0.5]


def test_a_stranger_asked_for_digits_is_no_false_accept_but_may_guess(place: Path) -> None:
    shot(place / "impostor" / "eve" / "1.png", 0, DOUBTFUL)
    answer = measured(place)
    assert counts(answer, "false_accepts", "asked_for_digits", "far_with_digits") == [
        0,
        1,
        3e-4,
    ]  # three tries of 10,000
    assert answer["far_if_digits_known"] == 1.0


def test_a_probe_whose_name_is_not_enrolled_is_a_stranger(place: Path) -> None:
    shot(place / "probe" / "eve" / "1.png", 9)
    assert counts(measured(place), "probes", "impostors", "impostors_are") == [3, 1, "not enrolled"]


def test_without_strangers_every_member_is_one_once(place: Path) -> None:
    shot(place / "probe" / "ann" / "3.png", 1)  # looks like bob, and still does when ann is left out
    answer = measured(place)
    assert counts(answer, "impostors", "far") == [4, 0.25]


def test_strangers_may_lie_in_no_folder_of_their_own(place: Path) -> None:
    shot(place / "impostor" / "1.png", 9)
    assert measured(place)["impostors"] == 1


def test_a_picture_without_a_face_is_a_false_reject_and_said_so(place: Path) -> None:
    shot(place / "probe" / "ann" / "3.png", 0, what=NOBODY)
    assert counts(measured(place), "not_found", "false_rejects") == [1, 1]


def test_a_picture_for_which_another_would_be_asked_is_judged_and_left_out_of_the_good_ones(place: Path) -> None:
    shot(place / "probe" / "ann" / "3.png", 0, FAR, what=BLURRED)
    answer = measured(place)
    assert counts(answer, "low_quality", "probes", "false_rejects") == [{"blurred": 1}, 4, 1]
    assert counts(answer["good_pictures"], "probes", "false_rejects") == [3, 0]
    assert any("of 1 pictures the cabinet would have asked" in note for note in faces_telling.notes(answer))


def test_people_who_all_look_away_are_counted_as_several(place: Path) -> None:
    shot(place / "probe" / "ann" / "3.png", 0, what=PAIR)
    assert counts(measured(place), "several_people", "rejected_because") == [1, {"several people": 1}]


def test_members_are_enrolled_from_pictures_that_the_cabinet_would_refuse(place: Path) -> None:
    shot(place / "enrol" / "dan" / "1.png", 7, 0, what=BLURRED)
    answer = measured(place)
    assert counts(answer["enrolled"], "members", "refused_for_quality") == [4, 1]
    assert any("1 of 4 pictures of members" in note for note in faces_telling.notes(answer))


@pytest.mark.parametrize("torn", [b"", b"no picture", b"\x89PNG\r\n\x1a\n torn"], ids=["empty", "text", "torn"])
def test_a_picture_that_cannot_be_read_is_named_and_the_rest_is_measured(place: Path, torn: bytes) -> None:
    (place / "probe" / "ann" / "torn.png").write_bytes(torn)
    answer = measured(place)
    assert counts(answer, "probes", "matched") == [3, 3]
    assert ["torn.png" in line for line in answer["skipped"]] == [True]


def test_a_picture_on_which_a_model_fails_is_named_and_the_rest_is_measured(place: Path) -> None:
    shot(place / "probe" / "ann" / "3.png", 0, what=BREAKS)
    answer = measured(place)
    assert (answer["probes"], ["fell over" in line for line in answer["skipped"]]) == (3, [True])


def test_attacks_are_counted_by_species_and_together(place: Path) -> None:
    for n, live in enumerate((0.9, 0.1)):
        shot(place / "spoof" / "screen" / f"{n}.png", 0, live=live)
    shot(place / "spoof" / "paper" / "1.png", 0, live=0.5)
    answer = measured(place)
    by = answer["apcer_by_species"]
    assert (by["screen"]["apcer"], by["paper"]["apcer"], by["paper"]["asked_to_turn"]) == (0.5, 0.0, 1)
    assert counts(answer, "attacks", "apcer", "apcer_worst") == [3, round(1 / 3, 6), 0.5]


def test_attacks_may_lie_in_no_folder_of_their_own(place: Path) -> None:
    shot(place / "spoof" / "1.png", 0, live=0.0)
    assert list(measured(place)["apcer_by_species"]) == ["any"]


def test_a_person_refused_as_an_attack_counts_for_liveness_and_not_for_recognition(place: Path) -> None:
    shot(place / "probe" / "ann" / "3.png", 0, live=0.1)
    answer = measured(place)
    assert counts(answer, "bpcer", "frr") == [0.25, 0.0]


def test_without_attacks_nothing_is_claimed_about_them(place: Path) -> None:
    assert counts(measured(place), "apcer", "apcer_worst") == [None, None]


def test_every_share_lies_in_its_interval(place: Path) -> None:
    shot(place / "probe" / "ann" / "3.png", 0, FAR)
    shot(place / "impostor" / "eve" / "1.png", 0)
    answer = measured(place)
    for share in ("far", "frr", "bpcer"):
        low, high = answer[f"{share}_ci"]
        assert 0 <= low <= answer[share] <= high <= 1
        assert high - low > 0.1  # of a handful of attempts


def test_along_the_curve_more_are_let_in_and_fewer_turned_away(place: Path) -> None:
    shot(place / "probe" / "ann" / "3.png", 0, FAR)
    shot(place / "impostor" / "eve" / "1.png", 0, 100)
    points = measured(place)["curve"]
    far, frr = ([point[key] for point in points] for key in ("far", "frr"))
    assert (far, frr) == (sorted(far), sorted(frr, reverse=True))
    assert (far[0], far[-1], frr[0], frr[-1]) == (0.0, 1.0, 0.25, 0.0)  # 0.2 to 0.8


def test_random_galleries_are_the_same_each_time_and_of_enrolled_people_alone(place: Path) -> None:
    first, second = measured(place), measured(place)
    assert first["by_gallery_size"] == second["by_gallery_size"]
    assert [row["members"] for row in first["by_gallery_size"]] == [1, 2, 3]


def test_where_everybody_is_enrolled_each_is_left_out_of_the_gallery_once(place: Path) -> None:
    shot(place / "probe" / "ann" / "3.png", 1)  # like bob
    whole = measured(place)["by_gallery_size"][-1]
    assert counts(whole, "members", "stranger_attempts", "far") == [3, 4, 0.25]


def test_members_who_are_not_drawn_are_strangers_to_the_gallery(place: Path) -> None:
    one = measured(place)["by_gallery_size"][0]
    assert (one["member_attempts"], one["stranger_attempts"]) == (one["draws"], 2 * one["draws"])


def test_the_slower_network_is_asked_only_where_the_small_one_is_in_doubt(place: Path) -> None:
    shot(place / "probe" / "ann" / "3.png", 0, DOUBTFUL)
    faces = PixelFaces()
    given = faces_measure.folders(place / "enrol", place / "probe", None, None)
    answer = faces_measure.measure(given, lambda: Eyes(faces, RULES, LIVE, None))
    timed = answer["at_720p"]["reference_asked"]
    assert (faces.asked_again - timed, answer["stage_ms"]["reference"] is not None) == (
        3 + 1,
        True,
    )  # all enrolled, ann


def test_whose_face_it_is_is_decided_as_the_greeter_decides_it() -> None:
    dice = np.random.default_rng(3)

    class Given(PixelFaces):
        now: tuple[Any, Any] = ((), ())

        async def encode(self, picture: Any, face: SeenFace) -> Sequence[float]:
            return tuple(self.now[0])

        async def reference(self, picture: Any, face: SeenFace) -> Sequence[float]:
            return tuple(self.now[1])

    people = dice.normal(0, 0.045, (12, 128))
    looks = [
        Look(Photo(f"m{n}", Path("x")), "encoded", vector=tuple(row), reference=tuple(row))
        for n, row in enumerate(people)
    ]
    crowd, eyes = Crowd.of(looks, RULES), Given()
    desk = FaceDesk(eyes, RULES, decide.Rules(), lambda *_: None, gallery=crowd.gallery, references=crowd.references)
    seen = SeenFace(0, 0, 9, 9, 1.0, GOOD)
    kinds = set()
    for n in range(200):
        near = people[n % 12] + dice.normal(0, dice.uniform(0.02, 0.05), 128)
        eyes.now = near, near + dice.normal(0, 0.005, 128)
        look = Look(Photo("", Path("x")), "encoded", seen, vector=tuple(eyes.now[0]), reference=tuple(eyes.now[1]))
        theirs = asyncio.run(desk._whose(Looking(VisitId("v")), np.zeros((9, 9, 3), np.uint8), seen))
        ours = crowd.whose(look)
        kinds.add(type(ours))
        assert ours == theirs
    assert len(kinds) == 3  # matched, in doubt, unknown: each was there


def vectors(count: int, spread: float, seed: int, names: Sequence[str], side: float = 0.6) -> list[faces_stock.Took]:
    """Templates around a corner of its own for each name; corners are 1.4 times `side` apart."""
    dice = np.random.default_rng(seed)
    return [
        faces_stock.Took(Photo(name, Path("x")), np.eye(128)[ord(name)] * side + dice.normal(0, spread, 128), 1.0, 2.0)
        for name in names
        for _ in range(count)
    ]


def test_stock_at_its_best_threshold_makes_fewer_errors_than_at_its_own() -> None:
    members, strangers = vectors(2, 0.01, 1, "abcd", 0.4), vectors(9, 0.01, 3, "wxyz", 0.4)
    told = faces_stock.figures(members, vectors(9, 0.01, 2, "abcd", 0.4), strangers, left_out=False)
    assert counts(told["at_0.6"], "false_accepts", "false_rejects") == [36, 0]
    assert counts(told["best"], "false_accepts", "false_rejects") == [0, 0]


def test_a_face_that_stock_does_not_find_is_its_false_reject() -> None:
    nothing = [faces_stock.Took(Photo("a", Path("x")), None, 1.0, 0.0)]
    told = faces_stock.figures(vectors(1, 0.0, 1, "a"), nothing, [], left_out=False)
    assert counts(told["best"], "false_rejects", "far") == [1, None]


def test_a_picture_that_is_tried_twice_is_not_found_once() -> None:
    nothing = [faces_stock.Took(Photo("a", Path("x")), None, 1.0, 0.0)]
    assert faces_stock.figures(vectors(1, 0.0, 1, "ab"), nothing, nothing, left_out=True)["not_found"] == 1


def test_strangers_of_stock_may_be_members_left_out() -> None:
    told = faces_stock.figures(
        vectors(2, 0.0, 1, "ab"), vectors(1, 0.0, 2, "ab"), vectors(1, 0.0, 2, "ab"), left_out=True
    )
    assert counts(told["at_0.6"], "false_accepts", "false_rejects") == [0, 0]


def test_the_tail_of_strangers_needs_five_people() -> None:
    dice = np.random.default_rng(5)

    def looks(people: int) -> list[Look]:
        rows = [dice.normal(0, 0.05, 128) for _ in range(people)]
        return [
            Look(Photo(f"p{n}", Path("x")), "encoded", vector=tuple(row + dice.normal(0, 0.01, 128)))
            for n, row in enumerate(rows)
            for _ in range(4)
        ]

    assert tail(looks(4), RULES) is None
    told = tail(looks(30), RULES)
    assert told is not None
    assert (told["people"], told["pairs"]) == (30, 4 * 4 * 30 * 29 // 2)
    assert told["share"] < told["share_upper"] < 0.1
    here = [row["measured_here"] for row in told["thresholds"]]
    assert here == sorted(here, reverse=True)


def test_a_small_picture_is_laid_into_a_frame_of_720_lines() -> None:
    frame = framed(np.full((112, 92, 3), 7, np.uint8))
    assert frame.shape == (FRAME[1], FRAME[0], 3)
    assert int((frame == 7).all(2).sum()) == 9 * 112 * 92  # three times as large


def test_the_results_hold_figures_and_pictures_and_no_place_of_this_machine(place: Path) -> None:
    (place / "probe" / "ann" / "torn.png").write_bytes(b"")
    shot(place / "spoof" / "screen" / "1.png", 0, live=0.1)
    answer = measured(place)
    faces_telling.write_results(answer, place / "out", faces_drawing.draw_each)
    page = (place / "out" / "README.md").read_text() + (place / "out" / "faces.json").read_text()
    assert str(place) not in page
    assert json.loads((place / "out" / "faces.json").read_text())["probes"] == 3
    named = [line.split("(")[1].rstrip(")") for line in page.splitlines() if line.startswith("![")]
    assert len(named) >= 4
    assert all(cv2.imread(str(place / "out" / name)) is not None for name in named)


def test_pictures_without_colour_are_said_to_be_so(place: Path) -> None:
    (place / "probe" / "dan").mkdir()
    cv2.imwrite(str(place / "probe" / "dan" / "1.png"), np.full((40, 40), 9, np.uint8))
    answer = measured(place)
    assert answer["grey"] == 1
    assert any("1 pictures have no colour" in note for note in faces_telling.notes(answer))


def test_work_that_takes_long_says_how_far_it_is_and_quick_work_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with faces_pictures.progress("members", 2, tell=True) as done:
        done()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(faces_pictures, "QUIET_S", -1.0)
    with faces_pictures.progress("members", 2, tell=True) as done:
        done()
    assert capsys.readouterr().err == "members: 1 of 2\n"


def run(*words: object) -> Any:
    return CliRunner().invoke(app, ["eval", "faces", *map(str, words)])


@pytest.mark.parametrize("option", ["--enrol", "--probe", "--impostor", "--spoof"])
@pytest.mark.parametrize("kind", ["missing", "empty"])
def test_a_folder_without_pictures_is_refused_with_what_to_do(place: Path, option: str, kind: str) -> None:
    (place / "empty").mkdir()
    words = {"--enrol": place / "enrol", "--probe": place / "probe", option: place / kind}
    answer = run(*(word for pair in words.items() for word in pair))
    assert answer.exit_code == 2
    assert option in answer.stderr
    assert "NAME/*.jpg" in answer.stderr or "folders of pictures" in answer.stderr


def test_enrolling_nobody_is_refused(tmp_path: Path) -> None:
    shot(tmp_path / "enrol" / "ann" / "1.png", 0, what=NOBODY)
    given = Folders(people(tmp_path / "enrol", "--enrol"), [], [], [])
    with pytest.raises(RefusedError, match="no face"):
        faces_measure.measure(given, lambda: Eyes(PixelFaces(), RULES, LIVE, None))


def test_real_faces_are_told_apart_by_the_cabinets_own_reader(shared_data: Path, tmp_path: Path) -> None:
    family = shared_data / "faces" / "azure_family"
    for name in ("Family1-Dad", "Family2-Man"):
        for part, number in (("enrol", 1), ("probe", 2)):
            (tmp_path / part / name).mkdir(parents=True)
            (tmp_path / part / name / "1.jpg").symlink_to(family / name / f"{name}{number}.jpg")
    (tmp_path / "impostor").mkdir()
    (tmp_path / "impostor" / "1.jpg").symlink_to(family / "Family3-Man" / "Family3-Man1.jpg")
    words = [word for part in ("enrol", "probe", "impostor") for word in (f"--{part}", tmp_path / part)]
    done = run(*words, "--no-stock", "--json")
    answer = json.loads(done.stdout)
    assert counts(answer, "probes", "impostors", "false_accepts", "false_rejects") == [2, 1, 0, 0]
    assert {"far", "frr", "apcer", "bpcer", "needs_digits", "stage_ms", "stock", "curve", "speedup"} <= set(answer)
    assert answer["stage_ms"]["find"] > 0
    assert answer["stock"] == {"measured": False}


def test_stock_recognises_a_real_face_and_its_time_is_taken(shared_data: Path) -> None:
    family = shared_data / "faces" / "azure_family" / "Family1-Dad"
    photos = [Photo("dad", family / f"Family1-Dad{n}.jpg") for n in (1, 2)]
    took = faces_stock.Stock().look_at(photos, "", tell=False)
    told = faces_stock.figures(took[:1], took[1:], [], left_out=False)
    assert counts(told["at_0.6"], "false_accepts", "false_rejects") == [0, 0]
    assert told["stage_ms"]["encode"] > 0
