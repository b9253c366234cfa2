"""Who may come in at the HTTP door, and what strangers send there."""

import socket

import pytest

from deadline import wait_until
from door_client import DoorClient, RawDoor, request
from relay_process import run_relay

TOKEN = "t" * 40
SET = b'{"op":"set","key":"radio","value":1}'


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "admin.token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


def one(relay, data):
    """The answer to these bytes, and whether the connection ends with it."""
    with RawDoor(relay) as raw:
        raw.send(data)
        answer = raw.answer()
        return answer and answer.status, raw.answer() is None


def untouched(relay):
    return DoorClient(relay).get("/state?key=radio").json()["state"] == {"radio": None}


# The token

def test_another_address_needs_a_token(runtime_dir, token_file, tmp_path):
    done = run_relay("--port", "0", "--admin", "0.0.0.0:0", runtime_dir=runtime_dir)
    assert done.returncode == 2 and "--admin-token" in done.stderr
    short = tmp_path / "short"
    short.write_text("x" * 31)
    done = run_relay("--port", "0", "--admin", "127.0.0.1:0", "--admin-token", short, runtime_dir=runtime_dir)
    assert done.returncode == 1 and "32 characters" in done.stderr
    done = run_relay("--port", "0", "--admin-token", token_file, runtime_dir=runtime_dir)
    assert done.returncode == 2 and "needs --admin" in done.stderr


def test_everything_but_health_and_the_page_asks_for_the_token(start_relay, token_file):
    relay = start_relay("--admin-token", token_file)
    stranger, friend = DoorClient(relay), DoorClient(relay, TOKEN)
    for path in ("/health", "/", "/page.js", "/page.css"):
        assert stranger.get(path).status == 200
    assert stranger.ask("POST", "/").status == 401
    for path in ("/state", "/metrics", "/openapi.json", "/nothing", "/clients/1"):
        answer = stranger.get(path)
        assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="syncrelay"')
    assert stranger.post(SET).status == 401
    assert friend.get("/state").status == 200 and friend.post(SET).json()["ok"]
    for shown in (TOKEN[:-1], TOKEN + "x", "", "Basic x"):
        assert stranger.get("/state", Authorization=f"Bearer {shown}").status == 401
    assert stranger.get("/state", Authorization=f"bearer {TOKEN}").status == 200
    assert stranger.get("/state", Authorization=TOKEN).status == 401
    text = friend.get("/metrics").body.decode()
    assert 'syncrelay_admin_requests_total{path="/state",status="401"}' in text


def test_the_token_is_read_again_when_its_file_changes(start_relay, token_file):
    relay = start_relay("--admin-token", token_file)
    token_file.write_text("n" * 40)
    wait_until(lambda: DoorClient(relay, "n" * 40).get("/state").status == 200, "the new one counts")
    assert DoorClient(relay, TOKEN).get("/state").status == 401
    token_file.write_text("short")
    relay.logged("stays what it was")
    assert DoorClient(relay, "n" * 40).get("/state").status == 200


# Browsers

@pytest.mark.parametrize("headers, status", [
    ({"Origin": "http://127.0.0.1:PORT"}, 200), ({"Origin": "https://127.0.0.1:PORT"}, 200),
    ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Origin": "http://127.0.0.1:1"}, 403),
    ({"Origin": "http://localhost:PORT"}, 403), ({"Sec_Fetch_Site": "same-origin"}, 200), ({"Sec_Fetch_Site": "none"}, 200),
    ({"Sec_Fetch_Site": "cross-site"}, 403), ({"Sec_Fetch_Site": "same-site"}, 403),
    ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}, 403),
    ({"Host": "evil.example"}, 421), ({"Host": "localhost"}, 200), ({"Host": "[::1]:80"}, 200),
])
def test_a_page_of_somebody_else_gets_nowhere(relay, headers, status):
    port = str(relay.ready["admin"])
    fields = {name: value.replace("PORT", port) for name, value in headers.items()}
    host = fields.pop("Host", f"127.0.0.1:{port}")
    with RawDoor(relay) as raw:
        raw.send(request("POST", "/commands", SET, host=host, **fields))
        answer = raw.answer()
        assert answer.status == status
        assert "access-control-allow-origin" not in answer.headers
    assert untouched(relay) == (status != 200)


def test_a_preflight_is_granted_nothing(relay):
    answer = DoorClient(relay).ask("OPTIONS", "/commands", Origin="http://evil.example",
                                   Access_Control_Request_Method="POST")
    assert answer.status == 403 and not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_name_that_is_listed_is_known(start_relay):
    relay = start_relay("--allow-host", "relay.example")
    for host, status in (("relay.example", 200), ("relay.example:8643", 200), ("other.example", 421)):
        assert one(relay, request("GET", "/state", host=host, Connection="close"))[0] == status


# Bodies

CHUNKED = b"POST /commands HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunks(*parts):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_a_body_may_come_in_chunks_and_in_pieces(relay):
    with RawDoor(relay) as raw:
        data = CHUNKED + chunks(SET[:5], SET[5:]) + request("GET", "/state?key=radio")
        for at in range(0, len(data), 7):
            raw.send(data[at:at + 7])
        assert raw.answer().json()["ok"] and raw.answer().json()["state"] == {"radio": 1}


def test_extensions_and_trailers_are_passed_over(relay):
    with RawDoor(relay) as raw:
        raw.send(CHUNKED + b"%x;a=b\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(SET), SET))
        assert raw.answer().json()["ok"]


@pytest.mark.parametrize("body", [
    b"zz\r\n", b"-1\r\n", b"0x10\r\n", b"\r\n", b"5\n12345\r\n", b"5\r\n12345X\r\n", b"fffffffffffffffff\r\n",
    b" 5\r\n12345\r\n", b"5;" + b"a" * 300 + b"\r\n", b"+5\r\n12345\r\n",
])
def test_chunks_that_are_malformed_end_the_connection(relay, body):
    assert one(relay, CHUNKED + body) == (400, True)
    assert untouched(relay)


def test_a_trailer_without_end_ends_the_connection(relay):
    assert one(relay, CHUNKED + b"0\r\n" + b"X: 1\r\n" * 1000) == (400, True)


@pytest.mark.parametrize("fields, status", [
    ("Content-Length: 36\r\nTransfer-Encoding: chunked\r\n", 400), ("Content-Length: 36\r\nContent-Length: 36\r\n", 400),
    ("Content-Length: 36\r\nContent-Length: 5\r\n", 400), ("Content-Length: -1\r\n", 400), ("Content-Length: +36\r\n", 400),
    ("Content-Length: 36, 36\r\n", 400), ("Content-Length: 0x24\r\n", 400), ("Content-Length: 3 6\r\n", 400),
    ("Content-Length: 99999999999999999999\r\n", 400), ("Transfer-Encoding: chunked, chunked\r\n", 501),
    ("Transfer-Encoding: gzip, chunked\r\n", 501), ("Transfer-Encoding: identity\r\n", 501),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400), ("Transfer-Encoding : chunked\r\n", 400),
    ("Content-Length: 36\r\nContent-Encoding: gzip\r\n", 415),
    ("Content-Length: 36\r\nContent-Encoding: identity\r\nContent-Encoding: gzip\r\n", 415), (" Content-Length: 36\r\n", 400),
    ("Transfer-Encoding: \x0bchunked\r\n", 400),
])
def test_a_length_that_can_be_read_in_two_ways_is_refused(relay, fields, status):
    """What stands behind would be a request to a server, and part of the body to another one (smuggling)."""
    head = f"POST /commands HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode()
    assert one(relay, head + SET + request("POST", "/commands", SET)) == (status, True)
    assert untouched(relay)


def test_a_length_that_lies_changes_nothing(start_relay):
    relay = start_relay("--handshake-timeout", "300ms")
    with RawDoor(relay) as raw:  # less comes than is told
        raw.send(request("POST", "/commands", SET, **{"Content-Length": str(len(SET) + 1)}))
        assert raw.answer().status == 408 and raw.answer() is None
    with RawDoor(relay) as raw:  # more does: the rest is no request
        raw.send(request("POST", "/commands", SET + b"!garbage", **{"Content-Length": str(len(SET))}))
        assert raw.answer().status == 200 and raw.answer().status in (400, 408) and raw.answer() is None


def test_a_request_without_commands_has_no_body(relay):
    assert one(relay, request("GET", "/state", SET)) == (400, True)
    assert one(relay, request("POST", "/state", SET)) == (400, True)


def test_a_command_that_is_too_large_is_not_read(start_relay):
    relay = start_relay("--max-command", "1000")
    for head in (request("POST", "/commands", **{"Content-Length": "1001"}), CHUNKED + b"3e9\r\n"):
        with RawDoor(relay) as raw:
            raw.send(head)
            answer = raw.answer()
            assert (answer.status, answer.code) == (413, "too_large") and raw.answer() is None
    assert relay.metrics().value("commands_rejected_total", reason="too_large") == 2


def test_who_waits_for_a_word_before_the_body_gets_it(relay):
    with RawDoor(relay) as raw:
        raw.send(request("POST", "/commands", Expect="100-continue", **{"Content-Length": str(len(SET))}))
        assert raw.answer().status == 100
        raw.send(SET)
        assert raw.answer().status == 200


@pytest.mark.parametrize("sent", [b"", b"POST /comm", request("POST", "/commands", SET)[:-5]])
def test_who_is_slow_is_not_waited_for(start_relay, sent):
    relay = start_relay("--handshake-timeout", "300ms")
    with RawDoor(relay) as raw:
        raw.send(sent)
        answer = raw.answer()
        assert answer is None or (answer.status == 408 and raw.answer() is None)


def test_a_body_that_comes_byte_by_byte_has_no_more_time(start_relay):
    relay = start_relay("--handshake-timeout", "500ms")
    with RawDoor(relay) as raw:
        raw.send(request("POST", "/commands", **{"Content-Length": "100000"}))
        try:
            for _ in range(100_000):
                raw.send(b" ")
                if relay.metrics().value("admin_requests_total", path="/commands", status="408") == 1:
                    break
        except (ConnectionResetError, BrokenPipeError):
            pass
    assert relay.metrics().value("admin_requests_total", path="/commands", status="408") == 1


def test_who_stops_in_the_middle_of_a_body_is_not_waited_for_as_long_as_it_is(relay):
    """The time that what has come has earned is for who goes on."""
    with RawDoor(relay, seconds=30) as raw:
        raw.send(request("POST", "/commands", b" " * 8_000_000, **{"Content-Length": "8000001"}))
        assert raw.answer().status == 408 and raw.answer() is None


# Heads and connections

@pytest.mark.parametrize("data, status", [
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 101 + b"\r\n", 431),
    (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n", 431), (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    (b"GET / HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400), (b"\x16\x03\x01", 400),
    (b"\x00\x00", 400), (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
])
def test_what_is_no_request_is_told_so_and_ends(relay, data, status):
    assert one(relay, data) == (status, True)


def test_requests_that_come_at_once_are_answered_in_their_order(relay):
    with RawDoor(relay) as raw:
        raw.send(b"".join(request("POST", "/commands", b'{"op":"set","key":"radio","value":%d}' % n) for n in range(500)))
        assert [raw.answer().json()["seq"] for _ in range(500)] == list(range(1, 501))


def test_http_1_0_is_answered_and_ended(relay):
    assert one(relay, b"GET /stats HTTP/1.0\r\nHost: localhost\r\n\r\n") == (200, True)


def test_a_crowd_displaces_itself_and_shuts_nobody_out(relay):
    crowd = [socket.create_connection(("127.0.0.1", relay.ready["admin"])) for _ in range(1000)]
    try:
        assert DoorClient(relay).post(SET).json()["ok"]
        assert relay.metrics().value("admin_connections") <= 129
        assert relay.metrics().value("admin_crowded_total") > 800
    finally:
        for each in crowd:
            each.close()
    wait_until(lambda: relay.metrics().value("admin_connections") == 1, "they are gone")


def test_no_more_wait_for_answers_than_may(relay):
    """By a padding that hides from the door what is asked, as nobody does by mistake."""
    waiting = [RawDoor(relay) for _ in range(80)]
    try:
        for raw in waiting:
            raw.send(request("POST", "/commands", b'{"op":"receive","wait":30' + b" " * 4096 + b"}"))
        assert waiting[-1].answer().status == 429
        assert DoorClient(relay).get("/state").status == 429
        assert DoorClient(relay).get("/health").status == 200
    finally:
        for raw in waiting:
            raw.__exit__()
    wait_until(lambda: DoorClient(relay).get("/state").status == 200, "there is room again", seconds=15)


@pytest.mark.parametrize("files", [None, (100, 100)], ids=["many files", "few files"])
def test_who_waits_for_something_to_happen_leaves_places_for_commands(start_relay, files):
    relay = start_relay(open_files=files)
    waiting = [RawDoor(relay) for _ in range(80)]
    try:
        for number, raw in enumerate(waiting):
            raw.send(request("GET", "/channels/a/events?after=0&wait=30") if number % 2 else
                     request("POST", "/commands", b'{"op":"receive","wait":30}'))
        if files is None:  # else they displace each other, and maybe none is refused
            wait_until(lambda: relay.metrics().value("admin_requests_total", status="429") > 0, "one is refused")
        wait_until(lambda: DoorClient(relay).post(SET).status == 200, "a command is taken while they wait")
        assert DoorClient(relay).get("/state").status == 200
    finally:
        for raw in waiting:
            raw.__exit__()


def test_who_reads_no_answer_is_cut_off_and_holds_up_nobody(relay):
    door = DoorClient(relay)
    for number in range(4):
        door.post({"op": "set", "key": f"k{number}", "value": "x" * 8_000_000})
    stuck = RawDoor(relay)
    stuck.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.send(request("GET", "/state"))
    assert len(door.get("/state").body) > 32_000_000
    stuck.__exit__()


def test_a_worker_that_has_hung_up_has_had_nothing(relay, door_worker_said):
    """Its place goes to the next: nothing is leased to a connection that is gone."""
    assert DoorClient(relay).post({"op": "receive"}).json()["events"] == []  # there is a backend from now on
    gone = RawDoor(relay)
    gone.send(request("POST", "/commands", b'{"op":"receive","wait":30}'))
    wait_until(lambda: relay.metrics().value("admin_connections") >= 2, "it waits")
    gone.__exit__()
    door_worker_said("hello")
    told = DoorClient(relay).post({"op": "receive", "wait": 5}).json()["events"]
    assert [event["data"]["type"] for event in told] == ["hello"] and told[0]["attempt"] == 1


@pytest.fixture
def door_worker_said(relay):
    from raw_client import RawClient, TEXT, frame, upgrade_request
    client = RawClient(relay.port)
    client.send(upgrade_request())
    client.read_head()
    yield lambda kind: client.send(frame(TEXT, b'{"type":"%s"}' % kind.encode()))
    client.__exit__(None, None, None)


def test_bodies_of_all_together_are_bounded(start_relay):
    relay = start_relay("--max-command", "1000")
    slow = [RawDoor(relay) for _ in range(6)]
    try:
        for raw in slow:
            raw.send(request("POST", "/commands", b" " * 900, **{"Content-Length": "1000"}))
        refused = {"path": "/commands", "status": "429"}
        wait_until(lambda: relay.metrics().value("admin_requests_total", **refused) == 2, "two are refused")
        for raw in slow[:4]:
            raw.send(b" " * 100)
            assert raw.answer().status == 400
        assert DoorClient(relay).post(SET).json()["ok"]
    finally:
        for raw in slow:
            raw.__exit__()
