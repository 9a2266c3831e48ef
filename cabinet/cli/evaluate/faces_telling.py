"""What `cabinet eval faces` says: tables and a sentence each, on the terminal and as a page."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import typer

from cabinet.cli import show, words
from cabinet.cli.errors import RefusedError

SHOWN: Final = 10  # pictures that were skipped

Row = tuple[object, ...]
Part = tuple[str, str, list[str], list[Row]]  # title, sentence, columns (`>`: aligned right), rows
Drawing = Callable[[dict[str, Any], Path], dict[str, str]]


def show_all(answer: dict[str, Any]) -> None:
    console = show.console()
    for title, sentence, columns, rows in parts(answer):
        console.print(show.table(title, columns, rows))
        console.print(show.text(sentence))
        console.print()
    for note in notes(answer):
        typer.secho(f"  {words.clean(note)}", fg="yellow", err=True)


def parts(answer: dict[str, Any]) -> Iterator[Part]:
    yield _let_in(answer)
    if answer["stock"]["measured"]:
        yield _beside(answer)
    yield _liveness(answer)
    yield _times(answer)
    if answer["by_gallery_size"]:
        yield _sizes(answer)
    if answer["tail"]:
        yield _tail(answer)
    yield _goals(answer)


def notes(answer: dict[str, Any]) -> Iterator[str]:
    """What the figures do not say by themselves."""
    enrolled = answer["enrolled"]
    if answer["trouble"]:
        yield answer["trouble"]
    yield (
        "enrolment's own refusals (size, sharpness, two faces) are left out here: "
        f"{enrolled['refused_for_quality']} of {enrolled['pictures']} pictures of members would not have been compared"
    )
    asked_again, good = sum(answer["low_quality"].values()), answer["good_pictures"]
    if asked_again:
        why = ", ".join(f"{count} {why}" for why, count in answer["low_quality"].items())
        yield (
            f"of {asked_again} pictures the cabinet would have asked for another frame ({why}); there is none, so they "
            f"are judged all the same. On the others: {good['false_accepts']} false accepts, {good['false_rejects']} "
            f"false rejects and {good['needs_digits']} asked for digits of {good['probes']} members and "
            f"{good['impostors']} strangers"
        )
    if enrolled["without_a_face"]:
        yield f"{enrolled['without_a_face']} pictures in --enrol show no face that can be meant: not enrolled"
    if answer["grey"]:
        yield f"{answer['grey']} pictures have no colour: liveness wants a colour camera, its figures mean little"
    for line in answer["skipped"][:SHOWN]:
        yield f"skipped {line}"
    if len(answer["skipped"]) > SHOWN:
        yield f"and {len(answer['skipped']) - SHOWN} more skipped: --json names them"


def _let_in(answer: dict[str, Any]) -> Part:
    probes, others = answer["probes"], answer["impostors"]
    turned = ", ".join(f"{count} {why}" for why, count in answer["rejected_because"].items()) or "nobody"
    rows: list[Row] = [
        ("members let in by face alone", f"{answer['matched']} of {probes}", ""),
        ("members asked for digits", f"{answer['needs_digits']} of {probes}",
         _percent(answer["needs_digits_share"], answer["needs_digits_ci"])),
        ("members turned away (false reject)", f"{answer['false_rejects']} of {probes}",
         _percent(answer["frr"], answer["frr_ci"])),
        ("members taken for somebody else", f"{answer['misidentified']} of {probes}", ""),
        ("strangers let in (false accept)", f"{answer['false_accepts'] - answer['misidentified']} of {others}",
         _percent(answer["far"], answer["far_ci"])),
        ("strangers asked for digits", f"{answer['asked_for_digits']} of {others}",
         f"with guessed digits {_percent(answer['far_with_digits'])}"),
    ]  # fmt: skip  # a table
    rules = answer["rules"]
    sentence = (
        f"{rules['members']} members; face alone up to {rules['threshold']:.3f}, with digits up to "
        f"{rules['with_digits']:.3f}, margin {rules['margin']:g}. Turned away: {turned}. Strangers: "
        f"{answer['impostors_are']}."
    )
    return "Who is let in", sentence, ["", "attempts>", "share [95 %]"], rows


def _beside(answer: dict[str, Any]) -> Part:
    stock = answer["stock"]
    ours: Row = (
        f"cabinet ({answer['rules']['threshold']:.3f})", answer["errors"], answer["false_accepts"],
        answer["false_rejects"], _percent(answer["far"]), _percent(answer["frr"]), answer["needs_digits"],
    )  # fmt: skip  # a row
    rows = [ours]
    for said, key in (("stock at its own threshold", "at_0.6"), ("stock at its best threshold", "best")):
        at = stock[key]
        rows.append(
            (f"{said} ({at['threshold']:g})", at["errors"], at["false_accepts"], at["false_rejects"],
             _percent(at["far"]), _percent(at["frr"]), "-")
        )  # fmt: skip  # a row
    more = answer["errors"] - stock["best"]["errors"]
    verdict = "as many errors as" if not more else f"{abs(more)} {'more' if more > 0 else 'fewer'} errors than"
    sentence = (
        f"The cabinet makes {verdict} stock at the threshold that suits these very pictures best; stock finds no face "
        f"in {stock['not_found']} pictures, the cabinet in {answer['not_found']}."
    )
    columns = ["", "errors>", "false accepts>", "false rejects>", "FAR>", "FRR>", "asked for digits>"]
    return "Beside face_recognition, same pictures, same run", sentence, columns, rows


def _liveness(answer: dict[str, Any]) -> Part:
    rows: list[Row] = [
        (f"attacks: {name}", one["attacks"], _scored(one["apcer"], one["apcer_ci"]), one["asked_to_turn"])
        for name, one in answer["apcer_by_species"].items()
    ]
    rows.append(("attacks together (APCER)", answer["attacks"], _scored(answer["apcer"], answer["apcer_ci"]), ""))
    rows.append(
        ("people refused as attack (BPCER)", answer["people_scored"], _scored(answer["bpcer"], answer["bpcer_ci"]),
         _scored(answer["people_asked_to_turn"]))
    )  # fmt: skip  # a row
    sentence = (
        f"By one picture's score: live from {answer['live_from']:g}, an attack below {answer['spoof_below']:g}; "
        "between them a turn of the head is asked for, which no still picture shows."
    )
    return "Liveness", sentence, ["", "pictures>", "wrong [95 %]", "asked to turn>"], rows


def _times(answer: dict[str, Any]) -> Part:
    said = {"find": "find, quality, liveness", "encode": "encode", "search": "search the gallery", "decide": "decide",
            "reference": "slower network, when asked"}  # fmt: skip  # a table
    theirs = answer["stock"].get("stage_ms", {})
    rows: list[Row] = [(said[name], _ms(ms), _ms(theirs.get(name))) for name, ms in answer["stage_ms"].items()]
    timed = answer["at_720p"]
    rows.append(("a decision in a frame of 1280 x 720", _ms(timed["ours_ms"]), _ms(timed.get("stock_ms"))))
    rows.append(("the same, mean", _ms(timed["ours_mean_ms"]), ""))
    rows.append(("search among 10,000, the quickest round", _ms(answer["search_10000_ms"], 3), ""))
    faster = f"{answer['speedup']:g} times faster than stock" if answer["speedup"] else "stock was not timed"
    asked = f"the slower network was asked in {timed['reference_asked']} of {timed['frames']} frames"
    return "Times, median ms", f"In the same frames {faster}; {asked}.", ["", "cabinet>", "stock>"], rows


def _sizes(answer: dict[str, Any]) -> Part:
    rows: list[Row] = [
        (one["members"], one["draws"], f"{one['threshold']:.3f}", _percent(one["far"]), _percent(one["far_most"]),
         _percent(one["frr"]), _percent(one["needs_digits"]), _percent(one["strangers_asked_digits"]))
        for one in answer["by_gallery_size"]
    ]  # fmt: skip  # a table
    columns = [
        "members>",
        "draws>",
        "threshold>",
        "FAR>",
        "worst draw>",
        "FRR>",
        "asked for digits>",
        "strangers asked>",
    ]
    sentence = "Random sets of the people enrolled; whoever is not drawn is a stranger. The budget sets the threshold."
    return "By size of the gallery", sentence, columns, rows


def _tail(answer: dict[str, Any]) -> Part:
    tail = answer["tail"]
    rows: list[Row] = [
        (f"{one['members']:,}", f"{one['in_use']:.3f}", f"{one['measured_here']:.3f}",
         f"{one['measured_here_cautious']:.3f}", f"{one['in_use_with_digits']:.3f}")
        for one in tail["thresholds"]
    ]  # fmt: skip  # a table
    one = answer["members"]
    sentence = (
        f"{tail['pairs']:,} pairs of {tail['people']} different people: {tail['share']:.2g} of them within "
        f"{tail['at']:.3f} (at most {tail['share_upper']:.2g}, drawing people anew), {tail['within_0.6']:.2g} "
        f"within 0.6, the nearest at {tail['nearest_strangers']:.3f}; the tail is a normal distribution's of sd "
        f"{tail['sd']:.3f}; beyond the number of pairs it is extrapolated. Within {one['within']:.3f} of a member, who "
        f"has {one['templates_of_a_member']:g} templates, come {_percent(one['strangers_to_a_member'])} of strangers' "
        f"pictures; another picture of such a stranger does so again in {_percent(one['again_in_another_picture'])}. "
        f"Margin to the next member: least {one['margin_least']}, a twentieth below {one['margin_5_percent']}."
    )
    columns = ["members>", "face alone, in use>", "by these pictures>", "cautiously>", "with digits, in use>"]
    return "What distance the budget allows", sentence, columns, rows


def _goals(answer: dict[str, Any]) -> Part:
    rows: list[Row] = [
        ("✓" if one["met"] else "✗ missed", one["goal"],
         f"≥ {one['least']:g}" if "least" in one else f"≤ {one['most']:g}", f"{one['found']:g}")
        for one in answer["goals"]
    ]  # fmt: skip  # a table
    missed = sum(not one["met"] for one in answer["goals"])
    return "Goals", f"{missed} of {len(rows)} missed." if missed else "All met.", ["", "", "goal>", "found>"], rows


def _percent(value: float | None, ci: Sequence[float] | None = None) -> str:
    if value is None:
        return "nobody tried"
    told = f"{value:.2%}" if value >= 1e-4 or value == 0 else f"{value:.1e}"
    return told if ci is None else f"{told} [{ci[0]:.2%}, {ci[1]:.2%}]"


def _scored(value: float | None, ci: Sequence[float] | None = None) -> str:
    return "none scored" if value is None else _percent(value, ci)


def _ms(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def write_results(answer: dict[str, Any], folder: Path, draw: Drawing) -> None:
    """README.md, faces.json and PNGs; no face and no place of this machine.  RefusedError where it cannot write."""
    facts = {
        **answer,
        "skipped": [_placeless(line) for line in answer["skipped"]],
        "trouble": re.sub(r"/\S*/", "", answer["trouble"]),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pictures = draw(answer, folder)
        (folder / "faces.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        (folder / "README.md").write_text("\n".join(_page(facts, pictures)) + "\n", encoding="utf-8")
    except OSError as error:
        raise RefusedError(f"--results: {folder}: {error.strerror or error}", "name a folder of yours") from error


def _placeless(line: str) -> str:
    path, _, why = line.partition(": ")
    return f"{Path(path).parent.name}/{Path(path).name}: {why.replace(path, Path(path).name)}"


def _page(answer: dict[str, Any], pictures: dict[str, str]) -> Iterator[str]:
    yield "# Faces whose truth is known"
    yield ""
    yield (
        f"Written by `cabinet eval faces --enrol DIR --probe DIR --results OUT` ({answer['model']}, slower network "
        f"{answer['reference_model']}). Brackets are Wilson 95 % intervals. `faces.json` holds every figure."
    )
    for title, sentence, columns, rows in parts(answer):
        yield f"\n## {title}\n"
        yield "| " + " | ".join(_cell(column.removesuffix(">")) for column in columns) + " |"
        yield "|" + "|".join("--:" if column.endswith(">") else "---" for column in columns) + "|"
        for row in rows:
            yield "| " + " | ".join(_cell(cell) for cell in row) + " |"
        yield f"\n{words.clean(sentence)}"
    yield "\n## Notes\n"
    yield from (f"- {_cell(note)}" for note in notes(answer))
    for name, said in pictures.items():
        yield f"\n## {said}\n"
        yield f"![{said}]({name})"


def _cell(value: object) -> str:
    return words.clean(value).replace("|", "\\|")
