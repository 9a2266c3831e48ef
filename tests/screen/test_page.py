"""The page's server as a browser meets it, with the real room of the daemon behind it."""

import numpy as np
import pytest

from cabinet.adapters.codes import CodeReader
from cabinet.screen.app import MAX_WATCHERS
from cabinet.session.effects import Notice
from tests.screen.conftest import Stage


def test_the_page_is_told_what_the_daemon_says(stage: Stage) -> None:
    told = stage.until("idle")
    assert (told["line"], told["codes"], told["faces"]) == ("Hello", True, True)


def test_the_page_follows_the_visit(stage: Stage) -> None:
    with stage.events() as told:
        next(one for one in told if one["mode"] == "idle")
        stage.do(stage.shopper.show, Notice.THANKS, "USD 4.20")
        seen = next(one for one in told if one["mode"] == "done")
    assert seen["total"] == "USD 4.20"


def test_the_number_is_drawn_as_a_code_that_a_phone_reads(stage: Stage) -> None:
    drawn = stage.until("idle")["qr"]
    side, scale = drawn["side"], 6
    picture = np.full((side * scale, side * scale, 3), 255, np.uint8)
    for move in drawn["path"].split("M")[1:]:
        x, y = (int(number) for number in move.split("h")[0].split())
        picture[y * scale : (y + 1) * scale, x * scale : (x + 1) * scale] = 0
    framed = np.pad(picture, ((40, 40), (40, 40), (0, 0)), constant_values=255)
    assert CodeReader().read(framed) == [stage.do(stage.shopper.nonce_text, 0.0)]


def test_the_number_itself_is_not_in_the_text_that_the_page_gets(stage: Stage) -> None:
    assert "CABN" not in str(stage.until("idle"))


def test_digits_go_to_whoever_asked(stage: Stage) -> None:
    stage.asks("digits")
    assert (stage.answer("/digits", {"digits": "0042"}), stage.heard) == ((200, {"taken": True}), ["0042"])


def test_a_no_goes_to_whoever_asked(stage: Stage) -> None:
    stage.asks("confirm")
    assert (stage.answer("/confirm", {"yes": False}), stage.heard) == ((200, {"taken": True}), [False])


def test_an_answer_that_nobody_asked_for_is_refused(stage: Stage) -> None:
    status, answer = stage.answer("/digits", {"digits": "0042"})
    assert (status, answer["error"], stage.heard) == (409, "nobody asks for that now", [])


@pytest.mark.parametrize(
    "said",
    [{}, [], "0042", {"digits": 42}, {"digits": "0042", "who": "me"}, {"digits": "0" * 100}, {"yes": True}, None],
)
def test_what_is_no_answer_is_refused_before_the_daemon_hears_it(stage: Stage, said: object) -> None:
    stage.asks("digits")
    assert (stage.answer("/digits", said)[0], stage.heard) == (400, [])


def test_digits_that_are_none_are_refused_by_the_daemon(stage: Stage) -> None:
    stage.asks("digits")
    assert (stage.answer("/digits", {"digits": "12a4"})[0], stage.heard) == (409, [])


def test_a_body_without_end_is_cut_off(stage: Stage) -> None:
    given = {"content_type": "application/json", "x_cabinet_page": stage.word()}
    assert stage.request("POST", "/digits", b" " * 100_000, **given)[0] == 400


# --- out of order -----------------------------------------------------------------------------------------------------


def test_while_the_daemon_is_away_the_page_says_out_of_order_and_then_it_comes_back(stage: Stage) -> None:
    stage.until("idle")
    stage.do(stage.daemon_goes)
    away = stage.until("away")
    assert (away["line"], away["qr"]) == ("Out of order. Sorry: please try another time.", None)
    stage.do(stage.daemon_comes)
    assert stage.until("idle")["line"] == "Hello"


def test_an_answer_while_the_daemon_is_away_is_refused(stage: Stage) -> None:
    stage.do(stage.daemon_goes)
    assert stage.answer("/digits", {"digits": "0042"}) == (503, {"error": "out of order"})


def test_more_pages_than_any_cabinet_has_are_refused(stage: Stage) -> None:
    stage.do(setattr, stage._serving._page, "watchers", MAX_WATCHERS)
    assert stage.request("GET", "/events")[0] == 503


# --- who may speak to it ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/events", "/digits", "/nowhere"])
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.5:8080", "", "me@127.0.0.1", "127.0.0.1:x", "[::]"]
)
def test_a_page_of_another_name_that_leads_here_is_refused(stage: Stage, host: str, path: str) -> None:
    method = "POST" if path == "/digits" else "GET"
    assert stage.request(method, path, Host=host)[0] == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost:8080", "LOCALHOST"])
def test_this_computers_own_names_are_answered(stage: Stage, host: str) -> None:
    assert stage.request("GET", "/", Host=host)[0] == 200


@pytest.mark.parametrize(
    "foreign",
    [
        {"x_cabinet_page": ""}, {"x_cabinet_page": "guess"}, {"Origin": "http://evil.example"}, {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
    ],
)  # fmt: skip  # a row
def test_an_answer_from_another_page_is_refused(stage: Stage, foreign: dict[str, str]) -> None:
    stage.asks("digits")
    assert (stage.answer("/digits", {"digits": "0042"}, **foreign)[0], stage.heard) == (403, [])


def test_our_own_page_is_heard_with_what_a_browser_adds(stage: Stage) -> None:
    stage.asks("digits")
    own = {"Origin": stage.address.rstrip("/"), "Sec_Fetch_Site": "same-origin"}
    assert stage.answer("/digits", {"digits": "0042"}, **own)[0] == 200


def test_a_form_of_another_page_is_not_taken_for_json(stage: Stage) -> None:
    assert stage.answer("/digits", {"digits": "0042"}, content_type="text/plain")[0] == 415


def test_nothing_is_shared_across_origins(stage: Stage) -> None:
    _, headers, _ = stage.request("GET", "/", Origin="http://evil.example")
    assert not [name for name in headers if name.startswith("access-control")]
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_no_other_page_may_frame_it(stage: Stage) -> None:
    _, headers, _ = stage.request("GET", "/")
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_the_page_needs_nothing_from_anywhere_else(stage: Stage) -> None:
    _, headers, body = stage.request("GET", "/")
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert b"http" not in body.replace(b"http://www.w3.org/2000/svg", b"")
    assert b"{{" not in body


def test_every_start_gives_its_pages_another_word(stage: Stage) -> None:
    from cabinet.screen.app import Page
    from cabinet.screen.link import Link

    words = {Page(Link(stage.socket))._word for _ in range(10)}
    assert len(words) == 10


@pytest.mark.parametrize(("method", "path"), [("GET", "/digits"), ("POST", "/"), ("PUT", "/confirm"), ("GET", "/.env")])
def test_there_is_nothing_else_to_ask_for(stage: Stage, method: str, path: str) -> None:
    assert stage.request(method, path)[0] in {404, 405}
