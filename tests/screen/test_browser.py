"""The page in a real browser: what a finger does, and what is to be seen."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet.session.effects import Notice
from tests.screen.conftest import Stage
from tests.support.browser import Browser

LARGE_PX = 48  # of a finger: WCAG 2.2, 2.5.5 asks for 44


@pytest.fixture
def browser(tmp_path: Path, stage: Stage) -> Iterator[Browser]:
    with Browser(tmp_path) as made:
        made.open(stage.address)
        made.wait_for("document.readyState === 'complete' && typeof mode !== 'undefined' && mode === 'idle'")
        yield made


def press(browser: Browser, *names: str) -> None:
    for name in names:
        browser.evaluate(f"[...document.querySelectorAll('button')].find(b => b.textContent === '{name}').click()")


def test_the_line_and_the_code_are_there(browser: Browser) -> None:
    assert browser.evaluate("document.getElementById('line').textContent") == "Hello"
    assert browser.evaluate("document.querySelector('#qr svg').getBoundingClientRect().width") > 150


def test_whoever_is_looked_at_is_told_so_and_that_a_code_works_as_well(browser: Browser) -> None:
    seen = browser.evaluate("document.querySelector('footer').innerText")
    assert "looks at faces" in seen
    assert "a code opens the door just as well" in " ".join(seen.split())


def test_four_keys_and_ok_send_the_digits(browser: Browser, stage: Stage) -> None:
    stage.asks("digits")
    browser.wait_for("mode === 'digits'")
    press(browser, "0", "0", "4", "1", "⌫", "2", "OK")
    browser.wait_for("mode === 'look'")
    assert stage.heard == ["0042"]


def test_digits_are_shown_as_dots_and_forgotten_after(browser: Browser, stage: Stage) -> None:
    stage.asks("digits")
    browser.wait_for("mode === 'digits'")
    press(browser, "8", "6")
    assert browser.evaluate("document.getElementById('dots').textContent") == "●●○○"
    stage.do(stage.shopper.show, Notice.READY)
    browser.wait_for("mode === 'idle'")
    assert browser.evaluate("digits") == ""


def test_ok_waits_for_four_digits(browser: Browser, stage: Stage) -> None:
    stage.asks("digits")
    browser.wait_for("mode === 'digits'")
    press(browser, "1", "2", "3", "OK")
    assert (browser.evaluate("document.getElementById('key-ok').disabled"), stage.heard) == (True, [])


@pytest.mark.parametrize(("name", "said"), [("Yes", True), ("No", False)])
def test_a_yes_or_no_is_sent(browser: Browser, stage: Stage, name: str, *, said: bool) -> None:
    stage.asks("confirm")
    browser.wait_for("mode === 'confirm'")
    press(browser, name)
    browser.wait_for("mode === 'look'")
    assert stage.heard == [said]


def test_every_key_is_large_enough_for_a_finger(browser: Browser, stage: Stage) -> None:
    stage.asks("digits")
    browser.wait_for("mode === 'digits'")
    sizes = browser.evaluate("[...document.querySelectorAll('#keys button')].map(b => [b.offsetWidth, b.offsetHeight])")
    assert len(sizes) == 12
    assert min(min(size) for size in sizes) >= LARGE_PX


def test_the_page_says_out_of_order_when_the_daemon_goes_and_comes_back(browser: Browser, stage: Stage) -> None:
    stage.do(stage.daemon_goes)
    browser.wait_for("mode === 'away'")
    assert "Out of order" in browser.evaluate("document.body.innerText")
    assert browser.evaluate("document.getElementById('code').hidden")
    stage.do(stage.daemon_comes)
    browser.wait_for("mode === 'idle'")


def test_text_of_the_daemon_is_text_and_never_a_tag(browser: Browser, stage: Stage) -> None:
    stage.shopper.line = lambda: "<b onclick=alert(1)>Hi</b>"
    stage.do(stage.shopper.show, Notice.SHOPPING)
    browser.wait_for("mode === 'shopping'")
    assert browser.evaluate("document.getElementById('line').children.length") == 0


def test_all_text_stands_out_from_its_ground(browser: Browser, stage: Stage) -> None:
    """WCAG 2.2, 1.4.6: 7 to 1; for large text 4.5 to 1."""
    stage.asks("digits")
    browser.wait_for("mode === 'digits'")
    ratios = browser.evaluate(CONTRAST)
    assert len(ratios) > 12
    assert min(ratio for _, ratio, _ in ratios) >= 4.5, ratios
    assert [row for row in ratios if row[1] < 7.0 and not row[2]] == []


CONTRAST = """
(() => {
  const part = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const light = (rgb) => { const [r, g, b] = rgb.match(/[0-9.]+/g).map(Number);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b); };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$/.test(c)) { return c; } } return "rgb(255, 255, 255)"; };
  return [...document.querySelectorAll("h1, p, button, #dots")]
    .filter((e) => e.getClientRects().length && e.textContent.trim())
    .map((e) => { const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
      const size = parseFloat(getComputedStyle(e).fontSize), bold = getComputedStyle(e).fontWeight >= 700;
      return [e.textContent.trim().slice(0, 20), (a + 0.05) / (b + 0.05), size >= 24 || (bold && size >= 18.7)]; });
})()
"""
