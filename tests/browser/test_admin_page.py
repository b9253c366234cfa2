"""The admin page in a browser, before a listener that answers what the test wants."""

import time

import pytest

from fake_door import FakeDoor, client

HOSTILE = "<img src=x onerror=alert(1)>"
WIDE = {"width": 1240, "height": 900}
PHONE = {"width": 360, "height": 720}
STORY = [{"ts": 1764190000.123, "what": "connected", "text": "Connected from 10.0.0.7 over TLS as user:42, on shard 1."},
         {"ts": 1764190001.5, "what": "snapshot", "text": "Was sent a snapshot: it named no position."},
         {"ts": 1764190090.0, "what": "stalled", "text": f"Takes nothing any more. {HOSTILE}"}]


@pytest.fixture(params=["chromium", "firefox"])
def browser_name(request):
    return request.param


@pytest.fixture
def fake():
    fake = FakeDoor()
    yield fake
    fake.stop()


@pytest.fixture
def door(fake):
    return fake.door


@pytest.fixture
def open_page(browser, fake):
    """Opens a view; at the end nothing of it may have been out of order."""
    pages = []

    def open_page(view="overview", allowed=(), **look):
        page = browser.open(f"{fake.url}#{view}", **{**WIDE, **look})
        pages.append((page, allowed))
        return page

    yield open_page
    for page, allowed in pages:
        assert [each for each in page.complaints() if not any(word in each for word in allowed)] == []
        assert page.violations() == []
        assert [url for url in page.requests() if not url.startswith(fake.url)] == []


def count_of(page, selector):
    return page.evaluate(f"document.querySelectorAll(`{selector}`).length")


def column(page, number, table="#client-table"):
    return page.evaluate(f"""[...document.querySelectorAll('{table} tbody tr:not([aria-hidden])')]
        .map((row) => row.children[{number}].textContent)""")


def test_the_overview_says_how_it_is(open_page):
    page = open_page()
    page.wait_for("#status", "live")
    page.wait_for("#tiles", "clients")
    page.wait_for("#tiles", "p99")
    page.wait_for("#charts", "Fan-out")
    drawn = page.evaluate("""[...document.querySelectorAll('#charts .line')]
        .filter((line) => line.getAttribute('d').length > 100).length""")
    assert drawn >= 6
    assert "State" in page.text("#bounds") and "256 MiB" in page.text("#bounds")
    assert "in workers' hands" in page.text("#inbox")
    assert "no --data" in page.text("#storage")
    page.wait_for("#version", "0.2.0")


def test_clients_are_sorted_and_filtered(open_page):
    page = open_page("clients")
    page.wait_for("#client-count", "3 clients")
    assert column(page, 0) == ["1", "2", "3"]
    page.click("#client-table th:nth-child(5) button")
    assert column(page, 0)[0] == "2"
    assert page.evaluate("document.querySelector('#client-table th:nth-child(5)').ariaSort") == "descending"
    page.focus("#client-filter")
    page.type("ada")
    page.wait_for("#client-count", "1 of 3")
    assert column(page, 1) == ["ada"]


def test_ten_thousand_clients_freeze_nothing(open_page, door):
    door.clients = [client(number, identity=f"user:{number}") for number in range(1, 10_001)]
    page = open_page("clients")
    page.wait_for("#client-count", "10,000 clients")
    assert count_of(page, "#client-table tbody tr") < 80
    slowest = page.evaluate("""(async () => {
        const filter = document.querySelector("#client-filter");
        const place = document.querySelector("#client-table .table");
        let worst = 0;
        for (const text of ["9", "99", "user:99", "user:9999", ""]) {
            const begin = performance.now();
            filter.value = text;
            filter.dispatchEvent(new Event("input"));
            place.scrollTop = 1e6;
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
            worst = Math.max(worst, performance.now() - begin);
        }
        return worst;
    })()""")
    assert slowest < 1500
    page.wait_for("#client-table tbody", "user:10000")


def test_a_client_is_disconnected_after_a_question(open_page, door):
    page = open_page("clients")
    page.wait_for("#client-count", "3 clients")
    page.click("#client-table tbody tr:nth-child(2) button.danger")
    page.wait_for("#confirm", "ada")
    page.click("#confirm button[value=no]")
    assert len(door.clients) == 3
    page.click("#client-table tbody tr:nth-child(2) button.danger")
    page.click("#confirm button[value=yes]")
    page.wait_for("#client-count", "2 clients")
    assert [each["id"] for each in door.clients] == [2, 3]


def test_the_keyboard_goes_through_the_rows_and_opens_one(open_page, door):
    door.stories["3"] = STORY
    door.clients = [client(number) for number in range(1, 501)]
    page = open_page("clients")
    page.wait_for("#client-count", "500 clients")
    page.focus("#client-table tbody tr:not([aria-hidden])")
    page.press("ArrowDown")
    page.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.key") == "3"
    page.press("End")
    assert page.evaluate("document.activeElement.dataset.key") == "500"
    page.press("Home")
    assert page.evaluate("document.activeElement.dataset.key") == "1"
    assert count_of(page, "#client-table tbody [tabindex='0']") == 4  # the row, its link, its buttons
    page.press("ArrowDown")
    page.press("ArrowDown")
    page.press("Enter")
    page.wait_for("#story", "over TLS as user:42")
    page.press("Tab")
    assert page.evaluate("document.activeElement.hash") == "#clients"  # the way back, and not the begin of the page


def test_a_story_is_read_and_what_is_in_it_is_text(open_page, door):
    door.stories["1"] = STORY
    page = open_page("client/1", allowed=["404"])
    page.wait_for("#story", HOSTILE)
    assert count_of(page, "main img") == 0
    assert page.text("#story-title") == "Client 1"
    page.wait_for("#story-now", "465 KiB")
    page.evaluate("void (location.hash = 'client/99')")
    page.wait_for("#no-story", "Nothing is known")
    assert page.evaluate("document.getElementById('story-now').hidden")


def test_an_unknown_client_is_no_error(open_page):
    page = open_page("client/77", allowed=["404"])
    page.wait_for("#no-story", "Nothing is known")
    page.wait_for("#status", "live")


def test_a_channel_shows_state_members_and_what_happens(open_page, door):
    page = open_page("channels")
    page.wait_for("#channel-table", "room:42")
    page.wait_for("#channel-table", "(default)")
    page.evaluate("[...document.querySelectorAll('#channel-table a')].at(-1).click()")
    page.wait_for("#channel-title", "room:42")
    page.wait_for("#channel-state", "Harbours")
    page.wait_for("#channel-members", "Ada (ada)")
    door.say("chat:said", {"text": HOSTILE}, "room:42")
    page.wait_for("#tail", "chat:said")
    page.click("#tail summary")
    page.wait_for("#tail .tree", "data")
    assert count_of(page, "main img") == 0


def test_refused_commands_are_told_with_their_place_and_source(open_page, door):
    door.refused = [{"ts": time.time(), "reason": "invalid_json", "detail": f"a comma is missing {HOSTILE}", "source": "http",
                     "endpoint": "/commands", "op": "set", "channel": "room:42",
                     "index": 2, "line": 3, "offset": 17, "bytes": 412}]
    page = open_page("refused")
    page.wait_for("#refused-table", "invalid_json")
    page.wait_for("#refused-table", "command 2, line 3, offset 17")
    page.wait_for("#refused-table", "HTTP /commands")
    assert HOSTILE in page.text("#refused-table")


@pytest.mark.parametrize("how", ["click", "Enter"])
def test_a_refused_command_opens_to_all_of_it(open_page, door, how):
    door.refused = [{"ts": time.time(), "reason": "unknown_op", "detail": "d" * 300, "source": "http", "op": "set",
                     "channel": "", "offset": 17, "bytes": 412}]
    page = open_page("refused", **PHONE)
    page.wait_for("#refused-table", "unknown_op")
    if how == "click":
        page.click("#refused-table tbody td:nth-child(2)")
    else:
        page.focus("#refused-table tbody tr:not([aria-hidden])")
        page.press("Enter")
    page.wait_for("#refusal", "d" * 300)
    page.wait_for("#refusal", "offset 17")
    assert not page.evaluate("document.getElementById('refusal').scrollWidth > innerWidth")
    page.press("Escape")
    assert not page.evaluate("document.getElementById('refusal').open")


def test_the_way_of_the_tab_key_goes_from_the_heads_into_the_rows(open_page, door):
    door.clients = [client(number) for number in range(1, 501)]
    page = open_page("clients")
    page.wait_for("#client-count", "500 clients")
    page.focus("#client-filter")
    page.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Client"  # and not what scrolls
    page.evaluate("[...document.querySelectorAll('#client-table th button')].at(-1).focus()")
    page.press("Tab")
    assert page.evaluate("document.activeElement.dataset.key") == "1"


def test_numbers_and_words_of_the_overview_have_room(open_page, door):
    page = open_page(width=1280)
    page.wait_for("#tiles", "running for")
    tops = page.evaluate("[...document.querySelectorAll('#tiles dd')].map((each) => each.getBoundingClientRect())"
                         ".map(({ top, height }) => [top, height].map(Math.round).join())")
    assert len(set(tops)) == 1, tops


def test_the_count_of_channels_says_what_it_counts(open_page):
    page = open_page("channels")
    page.wait_for("#channel-count", "channel")
    field = "document.getElementById('channel-prefix')"
    assert page.evaluate(f"{field}.clientWidth") > 200  # its placeholder is seen whole


def test_the_token_is_asked_for_and_kept_for_this_tab_alone(open_page, door):
    door.token = "t" * 32
    page = open_page(allowed=["401"])
    page.wait_for("#token-dialog", "Admin token")
    page.focus("#token")
    page.type("wrong")
    page.press("Enter")
    page.wait_for("#token-problem", "does not take")
    page.focus("#token")
    page.type("t" * 32)
    page.press("Enter")
    page.wait_for("#status", "live")
    assert page.evaluate("Object.values(sessionStorage)") == ["t" * 32]
    assert page.evaluate("localStorage.length") == 0 and page.evaluate("document.cookie") == ""


def test_a_listener_that_is_gone_is_told_and_found_again(open_page, fake):
    page = open_page("clients", allowed=["ERR_", "NetworkError", "500"])
    page.wait_for("#status", "live")
    answer = fake.door.answer
    fake.door.answer = lambda _: (500, {"ok": False, "error": {"code": "broken", "message": "it is broken"}})
    page.wait_for("#problem", "it is broken")
    fake.door.answer = answer
    page.wait_for("#status", "live")


@pytest.mark.parametrize("view", ["overview", "clients", "client/1", "channels", "channel/room%3A42", "refused"])
def test_no_view_scrolls_sideways_on_a_phone(open_page, door, view):
    door.stories["1"] = STORY
    door.clients[0]["identity"] = "i" * 64
    door.channels["room:42"]["k" * 200] = "v" * 3000
    door.refused = [{"ts": 1.0, "reason": "invalid_json", "detail": "d" * 300, "source": "push",
                     "endpoint": "e" * 100, "bytes": 1}]
    page = open_page(view, **PHONE)
    page.wait_for("#status", "live")
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def test_it_looks_as_it_should(browser, browser_name, fake, door, artifacts):
    door.clients = [client(number, identity=f"user:{number}", lag=900 if number % 9 == 0 else 0) for number in range(1, 900)]
    door.stories["7"] = STORY
    door.refused = [{"ts": time.time() - number, "reason": "invalid_json", "detail": "a comma is missing", "source": "push",
                     "endpoint": "ipc:///run/commands.sock", "op": "set", "channel": "", "offset": number, "bytes": 412}
                    for number in range(20)]
    for number in range(5):
        door.say("chat:said", {"text": f"Ahoy {number}"}, "room:42")
    looks = {"light": {}, "dark": {"scheme": "dark"}, "phone": PHONE}
    for view in ("overview", "clients", "client/7", "channels", "channel/room%3A42", "refused"):
        for name, look in looks.items():
            page = browser.open(f"{fake.url}#{view}", **{**WIDE, **look})
            page.wait_for("#status", "live")
            page.screenshot(artifacts / f"admin-{browser_name}-{view.split('/')[0]}-{name}.png", whole=True)
