"""Friends in a room of the example: who is listening, one player for all, and a chat that outlives the backend."""

import re

import pytest

from browser import Browser
from conftest import ROOMS
from deadline import wait_until

SHORT = ("--presence-grace", "1s", "--presence-grace-closed", "1s")
MARKUP = "<img src onerror=a()>"
LINES = "[...document.querySelectorAll('#chat li:not(.pending):not(.refused) span')].map((line) => line.textContent)"
# Notes when the page began to show each second, by the clock of this machine, in ms.
WATCH = """
(() => {
  window.shown = {};
  new MutationObserver(() => {
    window.shown[document.querySelector("#time").textContent] ??= Date.now();
  }).observe(document.querySelector("#time"), { childList: true, characterData: true, subtree: true });
})()
"""


@pytest.fixture(params=["chromium", "firefox"])
def browser_name(request):
    return request.param


@pytest.fixture
def relay(start_relay):
    return start_relay(*ROOMS, *SHORT)


@pytest.fixture
def backend(start_backend):
    return start_backend()


@pytest.fixture
def room(backend):
    return f"{backend.url}/rooms/0-1"


def rename(page, name):
    page.evaluate("(() => { const input = document.querySelector('#name'); input.value = %r;"
                  " input.dispatchEvent(new Event('change')); })()" % name)
    page.wait_for("#people", f"{name} (you)")


def enter(browser, room, name):
    page = browser.open(room)
    page.wait_for("#people", "(you)")
    rename(page, name)
    return page


def say(page, text):
    page.evaluate("(() => { document.querySelector('#line').value = %r;"
                  " document.querySelector('#chat-form').requestSubmit(); })()" % text)


def shows(page, script, expected):
    wait_until(lambda: page.evaluate(script) == expected, f"{script} is {expected!r}")


def people(page):
    return page.text("#people").split("\n")


def seconds(text):
    minutes, rest = text.split(":")
    return 60 * int(minutes) + int(rest)


def plays_to(page, second):
    wait_until(lambda: seconds(page.text("#time")) >= second, f"the page shows second {second}")


def zero_of(page):
    """When the track began, as the page shows it, in ms. A page that nobody sees looks at the clock once a second only."""
    return min(at - 1000 * seconds(text) for text, at in page.evaluate("window.shown").items())


@pytest.fixture
def another_browser(browser, browser_name):
    """One that a test may kill."""
    another = Browser(browser_name)
    yield another
    another.kill()


def test_a_browser_that_is_killed_is_gone_after_the_grace_and_its_player_pauses_for_all(
        browser, another_browser, browser_name, backend, start_backend, room, artifacts):
    ada, ben, cy = enter(browser, room, "Ada"), enter(browser, room, "Ben"), enter(another_browser, room, "Cy")
    for page in (ada, ben):
        page.wait_for("#people", "Cy")
        page.wait_for("#count", "3")
    cy.click("#toggle")
    for page in (ada, ben):
        page.wait_for("#device", "In Cy’s browser")
        plays_to(page, 2)
        page.evaluate(WATCH)
    ben.screenshot(artifacts / f"playing-{browser_name}.png")

    backend.kill()  # the will is with the relay
    another_browser.kill()

    for page in (ada, ben):
        page.wait_for("#device", "is gone")
        page.wait_for("#toggle", "Play")
        page.wait_for("#count", "2")
        assert people(page) == [f"{name} (you)" if page is me else name for name, me in (("Ada", ada), ("Ben", ben))]
    assert ada.text("#time") == ben.text("#time")
    for page in (ada, ben):
        assert "0:00" not in page.evaluate("Object.keys(window.shown)"), "no moment in which what was played is forgotten"
    start_backend(backend.port)
    late = enter(browser, room, "Di")
    late.wait_for("#device", "is gone")
    plays_to(late, 2)  # what was played is known to who comes later
    wait_until(lambda: ada.text("#time") == ben.text("#time") == late.text("#time"), "all show the same second")
    ben.screenshot(artifacts / f"paused-{browser_name}.png")

    ben.click("#toggle")
    ben.wait_for("#device", "In this browser")
    for page in (ada, late):
        page.wait_for("#device", "In Ben’s browser")
        page.wait_for("#toggle", "Pause")
        assert page.complaints() == []


def test_every_page_steers_the_player_and_all_show_the_same_second(browser, room):
    ada, ben, cy = (enter(browser, room, name) for name in ("Ada", "Ben", "Cy"))
    for page in (ada, ben, cy):
        page.evaluate(WATCH)
    ada.click("#toggle")
    for page in (ada, ben, cy):
        plays_to(page, 4)
    zeros = [zero_of(page) for page in (ada, ben, cy)]
    assert max(zeros) - min(zeros) < 1000, zeros
    ben.click("#toggle")
    for page in (ada, ben, cy):
        page.wait_for("#toggle", "Play")
    wait_until(lambda: ada.text("#time") == ben.text("#time") == cy.text("#time"), "all show the same second")
    cy.click("#take")
    cy.wait_for("#device", "In this browser")
    ada.wait_for("#device", "In Cy’s browser")
    assert ada.text("#toggle") == "Play"
    ada.click("#another")
    for page in (ada, ben, cy):
        page.wait_for("#track", "Seven Small Engines")
        page.wait_for("#time", "0:00")


def test_the_tabs_of_a_browser_are_one_listener_with_one_name(browser, room):
    ada, ben = enter(browser, room, "Ada"), enter(browser, room, "Ben")
    tab = browser.open_tab(ada, room)
    tab.wait_for("#people", "Ada (you)")
    for page in (ada, ben, tab):
        page.wait_for("#count", "2")
    rename(tab, "Ada Byron")
    ben.wait_for("#people", "Ada Byron")
    ada.wait_for("#people", "Ada Byron (you)")
    shows(ada, "document.querySelector('#name').value", "Ada Byron")
    assert len(people(ben)) == 2
    ada.click("#toggle")
    tab.wait_for("#device", "In this browser")


def test_a_name_outlasts_a_reload(browser, room):
    ada = enter(browser, room, "Ada")
    ada.evaluate("location.reload()")
    ada.wait_for("#status", "live")
    ada.wait_for("#people", "Ada (you)")


def test_names_and_lines_are_text_and_never_markup(browser, room):
    ada, ben = enter(browser, room, MARKUP), enter(browser, room, "Ben")
    say(ada, MARKUP)
    for page in (ada, ben):
        page.wait_for("#people", MARKUP)
        page.wait_for("#chat", MARKUP + MARKUP)
        assert page.evaluate("document.images.length") == 0
        assert page.complaints() == []


def test_what_is_said_while_the_backend_is_killed_and_started_appears_once(browser, backend, room, start_backend):
    ada, ben = enter(browser, room, "Ada"), enter(browser, room, "Ben")
    said = []
    for _ in range(3):
        said += [f"line {len(said)}", f"line {len(said) + 1}"]
        say(ada, said[-2])
        ben.wait_for("#chat", said[-2])
        backend.kill()
        say(ada, said[-1])
        ada.wait_for("#chat .pending em", "sent, the backend has still to answer")
        backend = start_backend(backend.port)
        for page in (ada, ben):
            shows(page, LINES, said)
    shows(ada, "document.querySelectorAll('#chat .pending').length", 0)
    assert [text for page in (ada, ben) for text in page.complaints()] == []


def test_what_is_said_while_the_relay_is_away_is_shown_as_not_sent_and_appears_once(
        browser, room, relay, start_relay):
    ada, ben = enter(browser, room, "Ada"), enter(browser, room, "Ben")
    say(ada, "one")
    ben.wait_for("#chat", "one")
    relay.kill()
    ada.wait_for("#status", "offline")
    say(ada, "two")
    ada.wait_for("#chat .pending", "two")
    ada.wait_for("#chat .pending em", "not sent yet")
    start_relay(*ROOMS, *SHORT, "--port", relay.port)
    for page in (ada, ben):
        shows(page, LINES, ["two"])  # without --data the relay has forgotten what was said before


def test_a_refused_line_says_why_to_who_said_it(browser, room, artifacts, browser_name):
    ada, ben = enter(browser, room, "Ada"), enter(browser, room, "Ben")
    say(ada, "x" * 201)
    ada.wait_for("#chat .refused em", "refused: a line has 1 to 200 characters")
    say(ada, "x" * 70_000)
    ada.wait_for("#chat li:last-child em", "refused: message_too_large")
    ada.screenshot(artifacts / f"refused-{browser_name}.png")
    say(ada, "short")
    shows(ben, LINES, ["short"])


def test_a_relay_that_takes_no_names_says_so(browser, relay, start_relay, start_backend):
    relay.kill()
    start_relay("--open-channels", "room:*", "--port", relay.port)
    page = browser.open(f"{start_backend().url}/rooms/0-1")
    page.wait_for("#unknown", "identity_not_allowed")
    page.wait_for("#status", "live")
    assert page.evaluate("document.querySelector('#toggle').disabled && document.querySelector('#say').disabled")


@pytest.mark.parametrize("width", [320, 760])
def test_a_room_with_listeners_and_a_long_chat_fits_every_width(browser, room, artifacts, browser_name, width):
    page = browser.open(room, width=width, height=1400)
    page.wait_for("#people", "(you)")
    rename(page, "Wolfeschlegelsteinhausen")
    page.click("#toggle")
    page.wait_for("#device", "In this browser")
    for text in ("Ahoy", "w" * 200, *(f"line {number}" for number in range(12))):
        say(page, text)
    shows(page, f"{LINES}.length", 14)
    page.screenshot(artifacts / f"listening-{browser_name}-{width}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert re.fullmatch(r"\d:\d\d", page.text("#time"))
    assert page.evaluate("(({ scrollTop, clientHeight, scrollHeight }) => scrollHeight - clientHeight - scrollTop)"
                         "(document.querySelector('#chat'))") < 2, "the last line is seen"
