"""The example's rooms: each pair of tracks has a channel of its own, and friends see the same in it."""

import pytest

from conftest import ROOMS
from test_two_pages import REFUSED

FIRST = "#comparison button:first-child"
LAST = "#comparison button:last-child"


@pytest.fixture
def enter(browser, backend):
    """enter(name, room): the page of somebody of that name."""
    def open_page(name, room="0-1"):
        page = browser.open(f"{backend.url}/rooms/{room}")
        page.wait_for("#status", "live")
        page.wait_for("#people", "(you)")
        page.evaluate(f"(() => {{ const name = document.querySelector('#name'); name.value = '{name}';"
                      " name.dispatchEvent(new Event('change')); })()")
        page.wait_for("#people", f"{name} (you)")
        return page
    return open_page


def write_note(page, text):
    page.focus("#text")
    for letter in text:
        page.press(letter)


def test_the_page_of_all_leads_to_the_room_of_the_pair_that_it_shows(browser, backend):
    page = browser.open(backend.url)
    page.wait_for("#radio", "Silence")
    assert page.evaluate("document.querySelector('#invite').getAttribute('href')") == "/rooms/0-1"
    page.click("#comparison button:last-child")
    page.wait_for("#verdict", "Seven Small Engines won")
    assert page.evaluate("document.querySelector('#invite').getAttribute('href')") == "/rooms/1-2"
    page.click("#invite")
    page.wait_for(FIRST, "Seven Small Engines")
    page.wait_for(LAST, "Paper Lanterns")


def test_friends_in_a_room_see_who_chose_what(enter, artifacts):
    ada, ben = enter("Ada"), enter("Ben")
    ada.click(FIRST)
    for page in (ada, ben):
        page.wait_for(FIRST, "1: Ada")
        page.wait_for("#said", "Ada chose Harbour Lights.")
    ben.click(LAST)
    ada.wait_for(LAST, "1: Ben")
    ada.click(LAST)
    for page in (ada, ben):
        page.wait_for(LAST, "2: ")
        page.wait_for(FIRST, "no votes")
        assert page.complaints() == []
    assert ada.evaluate(f"document.querySelector('{LAST}').getAttribute('aria-pressed')") == "true"
    for name, page in (("ada", ada), ("ben", ben)):
        page.screenshot(artifacts / f"room-{name}.png")


def test_rooms_side_by_side_know_nothing_of_each_other(enter):
    here, there = enter("Ada", "0-1"), enter("Ada", "0-2")
    here.click(FIRST)
    here.wait_for(FIRST, "1: Ada")
    there.click(LAST)
    there.wait_for(LAST, "1: Ada")
    assert "no votes" in there.text(FIRST) and "no votes" in here.text(LAST)
    assert here.text("#position") == there.text("#position") == "4"  # came, took a name, and voted in two events


def test_a_room_leads_to_another(browser, backend, enter):
    def other(page):
        page.wait_for(FIRST, "no votes")
        return page.evaluate("document.querySelector('#other').getAttribute('href')")

    assert other(enter("Ada")) == "/rooms/0-2"
    for room, expected in (("0-7", "/rooms/1-2"), ("6-7", "/rooms/0-1")):
        page = browser.open(f"{backend.url}/rooms/{room}")
        assert other(page) == expected
        assert page.complaints() == []


def test_the_chosen_track_is_marked_the_same_under_the_pointer(enter):
    ada, ben = enter("Ada"), enter("Ben")
    ada.click(FIRST)
    ben.focus(FIRST)
    ben.press("Enter")
    for page in (ada, ben):
        page.wait_for(FIRST, "2: ")
    color = f"getComputedStyle(document.querySelector('{FIRST}')).borderColor"
    assert ada.evaluate(color) == ben.evaluate(color)


def test_the_radio_of_all_plays_in_every_room(enter, backend):
    rooms = [enter("Ada", "0-1"), enter("Ben", "0-2")]
    before = [page.text("#position") for page in rooms]
    backend.post("/radio/start", {"track": 3})
    for page in rooms:
        page.wait_for("#radio", "Slow Comet")
    assert [page.text("#position") for page in rooms] == before


def test_a_note_is_pinned_for_all_and_its_writing_shows_meanwhile(enter):
    ada, ben = enter("Ada"), enter("Ben")
    write_note(ada, "oboe")
    ben.wait_for("#typing", "Ada is writing")
    assert ada.text("#typing") == ""
    ada.press("Enter")
    for page in (ada, ben):
        page.wait_for("#pinned", "oboe")
        page.wait_for("#pinned", "Ada")
    ben.evaluate("new Promise((resolve) => { const look = () => document.querySelector('#typing').textContent === ''"
                 " ? resolve(null) : requestAnimationFrame(look); look(); })")
    late = enter("Cy")
    assert "oboe" in late.text("#pinned")


def test_a_room_that_is_closed_begins_anew_for_all(enter):
    ada, ben = enter("Ada"), enter("Ben")
    ada.click(FIRST)
    ben.wait_for(FIRST, "1: Ada")
    ben.click("#close")
    for page in (ada, ben):
        page.wait_for("#said", "closed")
        page.wait_for("#status", "live")
        page.wait_for(FIRST, "no votes")
    ben.click(LAST)
    ada.wait_for("#said", "Ben chose Seven Small Engines.")


def test_a_room_outlasts_a_restart_of_the_relay(enter, relay, start_relay):
    ada, ben = enter("Ada"), enter("Ben")
    relay.kill()
    for page in (ada, ben):
        page.wait_for("#status", "offline")
    start_relay(*ROOMS, "--port", relay.port)
    for page in (ada, ben):
        page.wait_for("#status", "live")
    ada.click(FIRST)
    for page in (ada, ben):
        page.wait_for(FIRST, "1: Ada")
        assert [text for text in page.complaints() if not text.startswith(REFUSED)] == []


def test_a_room_that_the_relay_does_not_open_says_so(browser, backend, relay, start_relay):
    relay.kill()
    start_relay("--port", relay.port)
    page = browser.open(f"{backend.url}/rooms/0-1")
    page.wait_for("#status", "stopped")
    page.wait_for("#radio", "nothing")


@pytest.mark.parametrize("width", [320, 760])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_room_fits_every_width(browser, backend, artifacts, width, scheme):
    page = browser.open(f"{backend.url}/rooms/0-1", width=width, scheme=scheme)
    page.wait_for(FIRST, "no votes")
    page.screenshot(artifacts / f"room-{width}-{scheme}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
