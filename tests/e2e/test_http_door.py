"""The HTTP door on the admin listener: commands and queries for those who speak no ZeroMQ, with the same answers."""

import json
import signal
import threading

import pytest

from deadline import wait_until
from door_client import NDJSON, DoorClient, RawDoor, request


@pytest.fixture
def door(relay):
    return DoorClient(relay)


def test_a_command_is_answered_as_on_the_control_socket(relay, door, peer_of):
    answer = door.post({"op": "set", "key": "radio", "value": {"track": 7}})
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert told["ok"] and told["seq"] == 1 and set(told["versions"]) == {"radio"}
    assert peer_of(relay).confirm({"op": "state", "key": "radio"})["state"] == {"radio": {"track": 7}}


async def test_clients_hear_of_it(relay, door, connect):
    client = await connect(relay)
    door.post({"op": "broadcast", "type": "greeting", "data": "hello"})
    event = await client.read_to_type("greeting")
    assert event.data == "hello"


def test_values_pass_byte_for_byte(door):
    door.post('{"op":"set","key":"radio","value":{"b":1.50,"a":"\\u00e9"}}')
    assert b'"radio":{"b":1.50,"a":"\\u00e9"}' in door.get("/state?key=radio").body


@pytest.mark.parametrize("body", [
    '{\n  "op": "set",\n  "key": "radio",\n  "value": 1\n}\n',
    '{"op":"set","key":"radio","value":1}\n\n',
    '\r\n{"op":"set","key":"radio","value":1}',
])
def test_one_command_may_stand_in_several_lines(door, body):
    answer = door.post(body)
    assert answer.status == 200 and "results" not in answer.json()


def test_several_lines_are_one_step(relay, door):
    answer = door.post({"op": "set", "key": "radio", "value": 1}, {"op": "broadcast", "type": "a", "data": 2},
                       {"op": "set", "key": "x", "channel": "room:1", "value": 3})
    results = answer.json()["results"]
    assert [result.get("channel", "") for result in results] == ["", "", "room:1"]
    assert [result["seq"] for result in results] == [1, 2, 1]


def test_one_line_that_is_said_to_be_lines_is_a_batch(door):
    assert len(door.post({"op": "barrier"}, **NDJSON).json()["error"]["message"]) > 0
    assert len(door.post({"op": "set", "key": "a", "value": 1}, **NDJSON).json()["results"]) == 1


@pytest.mark.parametrize("bad, code", [
    (b'{"op":"set","key":"b","value":}', "invalid_json"),
    (b'{"op":"set","key":"b"}', "missing_member"),
    (b'[1]', "not_an_object"),
    (b'{"op":"set","key":"b","value":1},{"op":"set","key":"c","value":1}', "trailing_bytes"),
    (b'{"op":"set","key":"b","value":1}],"id":"x"', "trailing_bytes"),
    (b'{"op":"set","key":"b","value":1,"if":{"b":5}}', "conflict"),
    (b'{"op":"sat","key":"b","value":1}', "unknown_op"),
])
def test_a_line_that_is_wrong_is_named_and_nothing_is_applied(door, bad, code):
    good = b'{"op":"set","key":"a","value":1}'
    answer = door.post(good, b"", bad, good, **NDJSON)
    error = answer.json()["error"]
    assert (error["code"], error["line"]) == (code, 3), error
    assert answer.status == (409 if code == "conflict" else 400)
    assert len(good) + 2 <= error["offset"] <= len(good) + 2 + len(bad)
    assert door.get("/state").json()["state"] == {"comparison": None, "radio": None}


def test_an_id_is_the_same_by_whichever_way_it_comes(relay, door, peer_of, push_to):
    command = {"op": "set", "key": "radio", "value": 1, "id": "once"}
    assert "duplicate" not in door.post(command).json()
    assert door.post(command).json()["duplicate"] is True
    peer = peer_of(relay)
    assert peer.confirm({**command, "value": 2})["duplicate"] is True
    peer.confirm({"op": "set", "key": "radio", "value": 3, "id": "other"})
    assert door.post({"op": "set", "key": "radio", "value": 4, "id": "other"}).json()["duplicate"] is True
    line = json.dumps({"op": "set", "key": "radio", "value": 5})
    assert "duplicate" not in door.post(line, line, path="/commands?id=lines").json()
    assert door.post(line, line, path="/commands?id=lines").json()["duplicate"] is True
    assert peer.confirm({"op": "state", "key": "radio"})["state"] == {"radio": 5}


def test_the_id_of_the_url_is_that_of_a_single_command_too(door):
    """Who prints lines as they come may print one: it must not count twice when it is sent again."""
    line = json.dumps({"op": "broadcast", "type": "paid"})
    for body in ((line,), (json.dumps({"op": "broadcast", "type": "paid"}, indent=1),)):
        path = f"/commands?id=single{len(body[0])}"
        assert "duplicate" not in door.post(*body, path=path).json()
        assert door.post(*body, path=path).json()["duplicate"] is True
    both = door.post({"op": "barrier", "id": "a"}, path="/commands?id=b")
    assert (both.status, both.code) == (400, "duplicate_member")


@pytest.mark.parametrize("arguments, code", [
    ("idx=a", "unknown_member"), ("id=a&token=b", "unknown_member"), ("id=a&id=a", "duplicate_member"),
    ("id=", "invalid_id"), ("id", "invalid_id"), ("id=" + "a" * 129, "invalid_id")])
def test_an_argument_of_commands_that_would_not_count_is_refused(door, arguments, code):
    for lines in (1, 2):
        refused = door.post(*[json.dumps({"op": "drop", "channel": "a"})] * lines,
                            path=f"/commands?{arguments}")
        assert (refused.status, refused.code) == (400, code) and refused.json()["error"]["offset"] <= 1


@pytest.mark.parametrize("command, status, code", [
    ("nonsense", 400, "invalid_json"), ("", 400, "invalid_json"), ({"op": "nope"}, 400, "unknown_op"),
    ({"op": "set", "key": "a", "value": 1, "if": {"a": 9}}, 409, "conflict"),
    ({"op": "will", "id": "nobody", "commands": []}, 404, "no_such_member"),
    ({"op": "backup"}, 400, "no_storage"),
])
def test_a_refusal_has_a_status_besides(door, command, status, code):
    answer = door.post(command)
    assert (answer.status, answer.code) == (status, code)


def test_what_is_full_says_when_to_come_again(start_relay):
    door = DoorClient(start_relay("--max-state", "100"))
    answer = door.post({"op": "set", "key": "a", "value": "x" * 200})
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "state_full", "1")


def test_every_query_has_a_path(door):
    door.post({"op": "set", "key": "topic", "value": 1, "channel": "room:1/a"})
    assert door.get("/state?channel=room:1/a&key=topic").json()["state"] == {"topic": 1}
    listed = door.get("/channels?prefix=room&limit=5").json()["channels"]
    assert [channel["name"] for channel in listed] == ["room:1/a"]
    one = door.get("/channels/room:1%2Fa").json()
    assert (one["state"], one["seq"], one["clients"]) == ({"topic": 1}, 1, 0)
    assert door.get("/channels/room:1%2Fa/members").json()["members"] == {}
    assert [e["type"] for e in door.get("/channels/room:1%2Fa/events").json()["events"]] == ["sync:set"]
    assert door.get("/channels/").json()["state"] == {"comparison": None, "radio": None}
    assert door.get("/clients").json()["clients"] == []
    assert door.get("/stats").json()["stats"]["events"] == 1
    assert door.get("/history").json()["step"] == 2
    assert door.get("/refused").json()["refused"] == []
    assert door.get("/openapi.json").json()["openapi"].startswith("3.1")
    assert door.get("/health").json()["status"] == "ok"
    assert b"syncrelay_events_total 1" in door.get("/metrics").body


@pytest.mark.parametrize("path, code", [
    ("/state?keyy=a", "unknown_member"), ("/state?channel=%FF", "invalid_utf8"), ("/state?channel=a%20b", "invalid_channel"),
    ("/channels?limit=x", "wrong_type"), ("/channels?limit=0", "invalid_limit"), ("/state?key=a&key=b", "duplicate_member"),
    ("/channels/a/events?after=x", "wrong_type"), ("/channels/a/events?wait=99", "invalid_time"),
])
def test_an_argument_that_is_wrong_is_refused_as_a_member_is(door, path, code):
    answer = door.get(path)
    assert (answer.status, answer.code) == (400, code)


def test_paths_and_methods_that_are_not_there(door):
    for path in ("/nothing", "/channels/a/b/c", "/ws/sync", "//", "/state/"):
        assert door.get(path).status == 404, path
    for method, path, allow in (("GET", "/commands", "POST"), ("POST", "/state", "GET, HEAD"),
                                ("DELETE", "/stats", "GET, HEAD")):
        answer = door.ask(method, path)
        assert (answer.status, answer.headers["allow"]) == (405, allow)


def test_head_is_get_without_its_body(door):
    get, head = door.get("/state"), door.ask("HEAD", "/state")
    assert head.body == b"" and head.headers["content-length"] == get.headers["content-length"]


def test_events_come_as_they_happen(relay, door):
    after = door.post({"op": "broadcast", "type": "first", "channel": "room:1"}).json()["seq"]
    for wait in ("", "&wait=0", "&wait=0.1"):
        assert door.get(f"/channels/room:1/events?after={after}{wait}").json()["events"] == []
    later = []
    path = f"/channels/room:1/events?after={after}&wait=20"
    reader = threading.Thread(target=lambda: later.append(door.get(path, seconds=30)))
    reader.start()
    wait_until(lambda: relay.metrics().value("admin_connections") >= 2, "it waits")
    door.post({"op": "broadcast", "type": "second", "channel": "room:1", "data": {"n": 1}})
    reader.join(timeout=10)
    [event] = later[0].json()["events"]
    assert (event["type"], event["seq"], event["data"]) == ("second", after + 1, {"n": 1})


def test_events_are_bounded_and_tell_what_is_missing(start_relay):
    door = DoorClient(start_relay("--log-events", "10"))
    for _ in range(3):
        door.post(*[{"op": "broadcast", "type": "e", "data": n} for n in range(10)])
    told = door.get("/channels//events?after=5&max=4").json()
    assert len(told["events"]) == 4 and told["more"] and told["skipped"] == told["events"][0]["seq"] - 6
    newest = door.get("/channels//events?max=3").json()
    assert [event["seq"] for event in newest["events"]] == [28, 29, 30] and not newest["more"]


def test_a_long_event_comes_whole_and_alone(door):
    data = "x" * 700_000
    door.post(*[{"op": "broadcast", "type": "e", "data": data} for _ in range(3)])
    told = door.get("/channels//events?after=0").json()
    assert [len(event["data"]) for event in told["events"]] == [700_000] and told["more"]


def test_messages_of_clients_can_be_received_over_http(relay, door):
    assert door.post({"op": "receive"}).json()["events"] == []
    assert door.post({"op": "receive", "wait": 0.2}).json()["events"] == []


def test_refused_commands_are_shown_with_their_source_and_place(relay, door, peer_of, push_to):
    push_to(relay).push(b'{"op":"set","key":1}')
    wait_until(lambda: len(door.get("/refused").json()["refused"]) == 1, "it is refused")
    peer_of(relay).ask({"op": "set", "key": "a", "value": 1, "channel": "x", "if": {"a": 3}})
    door.post(b'{"op":"set"', **NDJSON)
    shown = door.get("/refused").json()["refused"]
    assert [(each["reason"], each["source"]) for each in shown] == [
        ("invalid_json", "http"), ("conflict", "control"), ("wrong_type", "push")]
    assert shown[1]["op"] == "set" and shown[1]["channel"] == "x"
    assert shown[2]["endpoint"] == relay.endpoint and shown[2]["offset"] == 18 and shown[2]["bytes"] == 20
    assert len(door.get("/refused?max=1").json()["refused"]) == 1


def test_only_the_newest_refused_commands_are_kept(relay, door):
    with RawDoor(relay) as raw:
        for number in range(230):
            raw.send(request("POST", "/commands", b"{%d" % number))
            assert raw.answer().status == 400
    assert len(door.get("/refused?max=1000").json()["refused"]) == 200


def test_history_has_a_sample_each_two_seconds(door):
    for _ in range(5):
        door.post({"op": "set", "key": "radio", "value": 1})
    def samples():
        found = door.get("/history").json()["samples"]
        return found if sum(each["events"] for each in found) == 5 else None

    found = wait_until(samples, "there are samples")
    assert sum(each["commands"] for each in found) == 5 and not any(each["refused"] for each in found)
    assert all(each["delay_p50"] > 0 for each in found if each["events"])


def test_the_bounds_of_the_relay_stand_beside_its_numbers(start_relay):
    told = DoorClient(start_relay("--max-state", "1MiB")).get("/stats").json()
    assert told["limits"]["state_bytes"] == 1 << 20 and told["storage"] == "off" and told["cluster"] is False
    assert told["stats"]["state_keys"] == 2


def test_requests_are_counted_by_path_and_status(relay, door):
    door.get("/state")
    door.get("/nothing")
    door.post("{")
    metrics = relay.metrics()
    assert metrics.value("admin_requests_total", path="/state", status="200") == 1
    assert metrics.value("admin_requests_total", path="other", status="404") == 1
    assert metrics.value("admin_requests_total", path="/commands", status="400") == 1


def test_a_connection_may_be_used_again(relay):
    with RawDoor(relay) as raw:
        for number in range(3):
            raw.send(request("POST", "/commands", b'{"op":"set","key":"radio","value":%d}' % number))
            assert raw.answer().json()["seq"] == number + 1


def test_the_relay_takes_its_leave_at_the_stop(relay, door):
    with RawDoor(relay) as raw:
        raw.send(request("POST", "/commands", b'{"op":"receive","wait":30}'))
        wait_until(lambda: relay.metrics().value("admin_connections") >= 2, "it waits")
        relay.signal(signal.SIGTERM)
        assert raw.answer().json()["events"] == []
        assert raw.answer() is None
