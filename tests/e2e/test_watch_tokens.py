"""`syncrelay watch` at a relay that asks for tokens."""

import json
import os
import signal
import time

import pytest

from deadline import wait_until
from fake_relay import answering_port
from shell import Shell, assert_failed
from tls_pair import TlsPair
from tokens import LEEWAY, Issuer

MOST_BYTES = 8192


@pytest.fixture
def issuer():
    return Issuer("ES256")


@pytest.fixture
def relay(start_relay, issuer, tmp_path):
    return start_relay("--token-key", issuer.key_file(tmp_path / "key"), "--open-channels", "room:*")


@pytest.fixture
def token_file(tmp_path):
    def write(token):
        path = tmp_path / "token"
        path.write_text(token + "\n")
        return path

    return write


def with_variable(relay, token):
    return Shell(relay.runtime_dir, relay.port, SYNCRELAY_TOKEN=token)


def test_watch_comes_with_the_token_of_a_file(shell, issuer, token_file):
    ended = shell.run("watch", "--count", 1, "--token-file", token_file(issuer.token()))
    assert json.loads(ended.stdout)["type"] == "sync:full" and not ended.stderr


def test_watch_comes_with_the_token_of_the_environment_where_no_file_is_named(relay, issuer, token_file):
    shell = with_variable(relay, issuer.token())
    assert shell.json("watch", "--count", 1)["type"] == "sync:full"
    assert_failed(shell.run("watch", "--token-file", token_file("a.b.c")), 1, "4401 token_invalid")


def test_the_longest_token_and_a_long_list_of_channels_go_together(shell, issuer, token_file):
    token = issuer.token(channels=["room:*", *["c" * 84 for _ in range(67)]])
    assert 0.95 * MOST_BYTES < len(token) <= MOST_BYTES
    rooms = [f"room:{n:0100}" for n in range(40)]
    ended = shell.run("watch", "--count", 40, "--token-file", token_file(token),
                      *[word for room in rooms for word in ("--channel", room)])
    assert {json.loads(line)["channel"] for line in ended.stdout.splitlines()} == set(rooms), ended.stderr


@pytest.mark.parametrize("claims, said", [
    (None, ("4401 token_missing", "--token-file", "SYNCRELAY_TOKEN")),
    ({"ttl": -LEEWAY - 1}, ("4401 token_expired",)),
    ({"channels": ["doc:*"]}, ("4403 forbidden", "its token allows none"))])
def test_watch_says_at_once_why_it_is_not_let_in(relay, shell, issuer, claims, said):
    if claims is not None:
        shell = with_variable(relay, issuer.token(**claims))
    assert_failed(shell.run("watch", "--timeout", "60s"), 1, "cannot watch", *said)


def test_watch_goes_on_with_a_newer_token_of_the_file_when_the_first_has_ended(relay, issuer, token_file, peer_of,
                                                                              start):
    path = token_file(issuer.token(ttl=2 - LEEWAY))
    watching = start(Shell(relay.runtime_dir, relay.port), "watch", "--token-file", path)
    watching.wait_for_lines(1)
    token_file(issuer.token())
    wait_until(lambda: watching.errors, "the end of the token is told")
    assert "4401 token_expired" in watching.errors[0]
    peer_of(relay).confirm({"op": "broadcast", "type": "step"})
    wait_until(lambda: any(message["type"] == "step" for message in watching.messages()), "it goes on")
    told = [message["type"] for message in watching.messages()]
    assert told == ["sync:full", "sync:expiring", "sync:resume", "step"]


@pytest.mark.parametrize("how", ["empty", "gone"])
def test_watch_waits_for_a_file_that_is_about_to_be_written(relay, issuer, token_file, start, how):
    path = token_file(issuer.token(ttl=2 - LEEWAY))
    watching = start(Shell(relay.runtime_dir, relay.port), "watch", "--token-file", path)
    watching.wait_for_lines(1)
    if how == "empty":
        path.write_text("")
    else:
        path.unlink()
    said = "holds no token" if how == "empty" else "cannot be read"
    wait_until(lambda: any(said in line for line in watching.errors), "it is told")
    token_file(issuer.token())
    wait_until(lambda: "sync:resume" in [message["type"] for message in watching.messages()], "it goes on")


def test_watch_ends_when_its_only_token_has_ended(relay, issuer, start):
    watching = start(with_variable(relay, issuer.token(ttl=2 - LEEWAY)), "watch")
    assert watching.wait() == 1
    assert "4401 token_expired" in watching.errors[-1]


@pytest.mark.parametrize("text", ["", "a b", "a\r\nX-Forwarded-For: 10.1.1.1", "ü", "x" * (MOST_BYTES + 1)],
                         ids=["empty", "space", "field", "letters", "long"])
def test_what_is_no_token_is_not_sent(relay, shell, token_file, text):
    path = token_file(text)
    assert_failed(shell.run("watch", "--token-file", path), 1, str(path), "holds no token")
    if text:
        assert_failed(with_variable(relay, text).run("watch"), 2, "SYNCRELAY_TOKEN holds no token")


def test_a_file_that_cannot_be_read_is_named(shell, tmp_path):
    assert_failed(shell.run("watch", "--token-file", tmp_path / "none"), 1, str(tmp_path / "none"), "cannot be read")


def test_the_variable_means_nothing_to_other_commands_and_is_known_to_them(relay, shell):
    ended = with_variable(relay, "no token").run("state")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert_failed(shell.run("state", "--token-file", "x"), 2, "--token-file goes with watch and bench only")


ELSEWHERE = b"HTTP/1.1 %s\r\nLocation: http://127.0.0.1:%d/ws/sync\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("status", [b"301 Moved Permanently", b"302 Found", b"303 See Other", b"307 Temporary Redirect",
                                    b"308 Permanent Redirect"])
def test_watch_takes_its_token_to_nobody_whom_an_answer_names(tmp_path, issuer, token_file, status):
    with answering_port(b"") as (other, heard), answering_port(ELSEWHERE % (status, other)) as (port, asked):
        ended = Shell(tmp_path, port).run("watch", "--token-file", token_file(issuer.token()), "--timeout", "10s")
    assert_failed(ended, 1, f"HTTP {status[:3].decode()} to http://127.0.0.1:{other}/ws/sync")
    assert len(asked) == 1 and not heard


def test_watch_waits_as_long_as_it_is_asked_to(relay, tmp_path, start, issuer):
    busy = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
    with answering_port(busy) as (port, asked):
        begin = time.monotonic()
        ended = Shell(tmp_path, port).run("watch", "--timeout", "2500ms")
        assert 2 < time.monotonic() - begin < 10
    assert_failed(ended, 1, "HTTP 429")
    assert len(asked) == 3


def test_watch_goes_on_in_the_personal_channel_too(relay, issuer, token_file, peer_of, start):
    watching = start(Shell(relay.runtime_dir, relay.port), "watch", "--token-file", token_file(issuer.token(sub="ada")))
    watching.wait_for_lines(2)
    peer = peer_of(relay)
    os.kill(watching.pid, signal.SIGSTOP)
    try:
        assert peer.ask({"op": "disconnect", "id": "ada"})["closed"] == 1
        for number in range(3):
            peer.confirm({"op": "broadcast", "channel": "@ada", "type": "ring", "data": number})
    finally:
        os.kill(watching.pid, signal.SIGCONT)
    wait_until(lambda: sum(message["type"] == "ring" for message in watching.messages()) >= 3, "they come all the same")
    assert [message["data"] for message in watching.messages() if message["type"] == "ring"] == [0, 1, 2]
    assert "skipped" not in str(watching.messages())


@pytest.mark.parametrize("how", ["count", "SIGTERM", "SIGINT"])
def test_watch_takes_leave(relay, issuer, token_file, start, how):
    words = ("--count", 1) if how == "count" else ()
    watching = start(Shell(relay.runtime_dir, relay.port), "watch", "--token-file", token_file(issuer.token()), *words)
    watching.wait_for_lines(1)
    if how != "count":
        os.kill(watching.pid, getattr(signal, how))
    assert watching.wait() == (0 if how == "count" else -getattr(signal, how))
    wait_until(lambda: relay.metrics().value("clients_closed_total") == 1, "it is gone")
    assert relay.metrics().value("clients_closed_total", code="1000") == 1


@pytest.mark.parametrize("words", [("--tls",), ("--ca", "FILE")])
def test_watch_says_at_once_that_no_tls_is_spoken(relay, tmp_path, words):
    pair = TlsPair(tmp_path)
    words = [str(pair.cert) if word == "FILE" else word for word in words]
    begin = time.monotonic()
    ended = Shell(relay.runtime_dir, relay.port).run("watch", "--timeout", "20s", *words)
    assert_failed(ended, 1, "no TLS is spoken there: leave out --tls and --ca")
    assert time.monotonic() - begin < 10
