"""`syncrelay bench`: what it measures, that nobody else sees it, and where it says that it is the bound."""

import json
import resource
import signal

import pytest

from deadline import until, wait_until
from shell import Shell, assert_failed
from tls_pair import TlsPair
from tokens import Issuer
from ws_client import settle

CHANNEL = "syncrelay:bench"
SMALL = ("--clients", 5, "--events", 50, "--rate", 1000)


def channels(peer):
    return [each["name"] for each in peer.confirm({"op": "channels", "limit": 1000})["channels"]]


def stats(peer):
    return peer.confirm({"op": "stats"})["stats"]


def test_every_event_is_measured_at_every_client(relay, shell, peer_of):
    result = shell.json("bench", *SMALL, "--size", 300)
    assert (result["clients"], result["events"], result["size"], result["rate"]) == (5, 50, 300, 1000)
    assert (result["deliveries"], result["missing"], result["refused"], result["lost"]) == (250, 0, 0, 0)
    delays = result["delay_ms"]
    assert 0 < delays["p50"] <= delays["p90"] <= delays["p99"] <= delays["max"] < 10_000
    assert result["events_per_second"] > 0 and result["deliveries_per_second"] > result["events_per_second"]
    assert not result["stopped"]
    told = stats(peer_of(relay))
    assert told["clients_accepted"] == 5 and told["events"] >= 50


def test_the_size_is_that_of_an_events_data_and_the_rate_is_kept(relay, shell, peer_of):
    peer = peer_of(relay)
    shell.json("bench", "--clients", 1, "--events", 20, "--rate", 0, "--size", 0)
    before = stats(peer)["bytes_sent"]
    result = shell.json("bench", "--clients", 1, "--events", 20, "--rate", 40, "--size", "10KiB")
    assert 20 * 10_240 < stats(peer)["bytes_sent"] - before < 20 * 10_240 + 20_000
    assert 0.4 < result["seconds"] < 3


def test_a_burst_goes_as_fast_as_it_can(relay, shell):
    result = shell.json("bench", "--clients", 10, "--events", 3000, "--rate", 0)
    assert (result["deliveries"], result["missing"], result["skipped"]) == (30_000, 0, 0)


async def test_no_client_of_an_application_gets_any_of_it(start_relay, push_to, connect, peer_of):
    relay = start_relay("--open-channels", "room:*")
    here, pusher, peer = await connect(relay), push_to(relay), peer_of(relay)
    seq = here.seq
    Shell(relay.runtime_dir, relay.port).json("bench", *SMALL)
    pusher.broadcast("mine")
    message = await here.next_event()
    assert (message.type, message.seq) == ("mine", seq + 1)
    assert CHANNEL not in channels(peer)


async def test_nobody_may_follow_its_channel_while_no_bench_runs(relay, connect, peer_of, shell):
    shell.json("bench", *SMALL)
    client = await connect(relay)
    await client.connection.send(json.dumps({"type": "sync:subscribe", "channel": CHANNEL}))
    refused = json.loads(await client.connection.recv())
    assert (refused["type"], refused["code"]) == ("sync:refused", "forbidden")
    assert CHANNEL not in channels(peer_of(relay))


def test_a_terminal_gets_a_table(relay, shell):
    code, shown = shell.on_terminal("bench", *SMALL, NO_COLOR="1")
    assert code == 0
    rows = [line.rsplit("  ", 1)[0].strip() for line in shown.splitlines() if not line.startswith("syncrelay:")]
    assert {"clients", "events", "delay p50", "delay p90", "delay p99", "delay max", "deliveries/s"} <= set(rows)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_prints_what_there_is(relay, shell, start, peer_of, number):
    peer = peer_of(relay)
    running = start(shell, "bench", "--clients", 3, "--events", 1_000_000, "--rate", 50)
    wait_until(lambda: stats(peer)["events"] > 10, "it has begun", 20)
    running.signal(number)
    assert running.wait() == 0
    [result] = running.messages()
    assert result["stopped"] and 0 < result["deliveries"] <= 3 * result["events"]
    assert CHANNEL not in channels(peer)


@pytest.mark.parametrize("where", [("--host", "192.0.2.1"), ("--host", "relay.example"), ("--control", "tcp://192.0.2.1:1")],
                         ids=["address", "name", "control"])
def test_another_machine_wants_to_be_named_twice(runtime_dir, where):
    shell = Shell(runtime_dir)
    assert_failed(shell.run("bench", *where), 2, "another machine", "--yes")


def test_without_a_relay_it_says_so(runtime_dir):
    assert_failed(Shell(runtime_dir, 1).run("bench", "--timeout", "200ms"), 1, "cannot measure")


@pytest.mark.parametrize("option", [
    ("--clients", "0"), ("--clients", "100001"), ("--clients", "x"), ("--events", "0"), ("--events", "1000001"),
    ("--size", "2MiB"), ("--rate", "-1"), ("--rate", "1000001")], ids=" ".join)
def test_a_value_beyond_its_bounds_is_bad_usage(runtime_dir, option):
    assert_failed(Shell(runtime_dir).run("bench", *option), 2, option[0].removeprefix("--"))


def test_its_options_are_of_no_other_command(runtime_dir):
    assert_failed(Shell(runtime_dir).run("clients", "--rate", "5"), 2, "rate")


def test_where_files_are_few_it_has_fewer_clients_and_says_so(relay, shell):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    running = shell.run_with_files(150, "bench", "--clients", 200, "--events", 10)
    assert running.returncode == 0, running.stderr
    assert json.loads(running.stdout)["clients"] == 50
    assert "limit of open files" in running.stderr and "50 of 200 clients" in running.stderr
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (soft, hard)


def test_where_the_relay_takes_fewer_clients_it_goes_on_with_those(start_relay):
    relay = start_relay("--max-clients", "3")
    ended = Shell(relay.runtime_dir, relay.port).run("bench", "--clients", 5, "--events", 10, "--timeout", "1s")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["clients"] == 3
    assert "only 3 of 5 clients got in" in ended.stderr and "503" in ended.stderr


def ends_broken(running, *warnings):
    """It prints what it has, and that this is none."""
    assert running.wait() == 1
    [result] = running.messages()
    assert all(any(words in told for told in result["warnings"]) for words in warnings), result


def test_a_relay_that_dies_in_the_middle_is_no_success(relay, shell, start, peer_of):
    peer = peer_of(relay)
    running = start(shell, "bench", "--clients", 3, "--events", 1_000_000, "--rate", 50, "--timeout", "500ms")
    wait_until(lambda: stats(peer)["events"] > 10, "it has begun", 20)
    relay.kill()
    ends_broken(running, "3 clients were lost")


def test_a_channel_that_is_dropped_in_the_middle_ends_it(relay, shell, start, peer_of):
    peer = peer_of(relay)
    running = start(shell, "bench", "--clients", 3, "--events", 1_000_000, "--rate", 50)
    wait_until(lambda: stats(peer)["events"] > 10, "it has begun", 20)
    peer.confirm({"op": "drop", "channel": CHANNEL})
    ends_broken(running, "3 clients were lost", "somebody has dropped")


def test_events_that_are_all_refused_are_no_success(start_relay):
    relay = start_relay("--max-command", "1000")
    ended = Shell(relay.runtime_dir, relay.port).run("bench", *SMALL, "--size", 2000, "--timeout", "500ms")
    assert ended.returncode == 1 and json.loads(ended.stdout)["deliveries"] == 0
    assert "too_large" in ended.stderr and "measures nothing whole" in ended.stderr


def test_it_speaks_tls_and_brings_a_token(start_relay, runtime_dir, tmp_path):
    pair, issuer = TlsPair(tmp_path), Issuer()
    relay = start_relay(*pair.options, "--token-key", issuer.key_file(runtime_dir / "token.key"))
    shell = Shell(relay.runtime_dir, relay.port)
    token = tmp_path / "token"
    token.write_text(issuer.token("bench"))
    with_all = ("bench", *SMALL, "--host", "localhost", "--ca", pair.cert, "--token-file", token)
    assert shell.json(*with_all)["deliveries"] == 250
    assert_failed(shell.run("bench", *SMALL, "--host", "localhost", "--ca", pair.cert), 1, "4401")
    token.write_text(issuer.token("bench", channels=["room:1"]))
    assert_failed(shell.run(*with_all), 1, "4403")


async def test_a_bench_leaves_who_was_there_in_peace(start_relay, data_dir, push_to, connect, peer_of):
    relay = start_relay("--data", data_dir)
    here, pusher = await connect(relay), push_to(relay)
    pusher.set("key", 1)
    await settle(relay, pusher)
    Shell(relay.runtime_dir, relay.port).json("bench", *SMALL)
    await until(lambda: relay.health()["clients"] == 1, "the bench's clients have left")
    assert stats(peer_of(relay))["skipped_events"] == 0
    assert here.connection.open


def test_a_second_one_at_the_same_time_is_refused_and_disturbs_nothing(relay, shell, start, peer_of):
    running = start(shell, "bench", "--clients", 3, "--events", 100, "--rate", 50)
    wait_until(lambda: stats(peer_of(relay))["events"] > 3, "it has begun", 20)
    assert_failed(shell.run("bench", *SMALL), 1, "another bench is under way: 3 clients follow syncrelay:bench")
    assert running.wait() == 0
    [result] = running.messages()
    assert (result["deliveries"], result["missing"]) == (300, 0)
    assert shell.json("bench", *SMALL)["missing"] == 0
