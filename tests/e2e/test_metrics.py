"""The admin listener: every documented metric, and counters that add up."""

import math
import shutil
import subprocess

import pytest

from deadline import until
from raw_client import RawClient, upgrade_request
from relay_process import run_relay
from ws_client import settle

TYPES = {
    "clients": "gauge", "clients_accepted_total": "counter", "clients_refused_total": "counter",
    "clients_closed_total": "counter", "commands_total": "counter", "commands_rejected_total": "counter",
    "events_total": "counter", "frames_sent_total": "counter", "bytes_sent_total": "counter",
    "skipped_events_total": "counter", "snapshots_sent_total": "counter", "resumes_total": "counter",
    "deflated_events_total": "counter", "deflated_plain_bytes_total": "counter",
    "deflated_wire_bytes_total": "counter", "undeflated_events_total": "counter",
    "slow_clients": "gauge", "lag_events_max": "gauge", "log_bytes": "gauge", "log_events": "gauge",
    "state_keys": "gauge", "state_bytes": "gauge", "seq": "gauge", "fanout_seconds": "histogram",
    "channels": "gauge", "channels_forgotten_total": "counter", "channels_dropped_total": "counter",
    "expired_keys_total": "counter",
    "log_lines_dropped_total": "counter", "build_info": "gauge"}


async def busy(relay, pusher, connect):
    """One of everything that is counted: two clients stay, two leave, one is refused, one resumes."""
    clients = [await connect(relay) for _ in range(4)]
    await connect(relay, epoch=clients[0].epoch, seq=clients[0].seq)
    with RawClient(relay.port) as stranger:
        stranger.send(upgrade_request(Origin="http://evil.example"))
        stranger.read_head()
    pusher.set("radio", {"a": 1}, notify=False)
    pusher.merge("radio", {"b": 2})
    pusher.delete("comparison", notify=False)
    pusher.broadcast("t", 1, set={"extra": 1})
    pusher.push("nonsense")
    position = await settle(relay, pusher)
    await clients[0].leave()
    await clients[1].abort()
    await until(lambda: relay.health()["clients"] == 3, "two clients and the watcher have left")
    return position


async def test_every_documented_metric_is_there_with_its_type(relay, pusher, connect):
    await busy(relay, pusher, connect)
    types = relay.metrics().types
    assert {name: types.get(name) for name in TYPES} == TYPES


async def test_the_counters_add_up(relay, pusher, connect):
    position = await busy(relay, pusher, connect)
    metrics = relay.metrics()
    value = metrics.value
    assert value("clients_accepted_total") == value("clients") + value("clients_closed_total") == 6
    assert value("clients") == 3
    assert metrics.labels("clients_refused_total", "reason") == {
        **metrics.labels("clients_refused_total", "reason"), "origin": 1}
    assert value("clients_refused_total") == 1
    ops = metrics.labels("commands_total", "op")
    assert (ops["set"], ops["merge"], ops["delete"], ops["broadcast"]) == (1, 1, 1, 2)
    assert value("commands_rejected_total", reason="invalid_json") == value("commands_rejected_total") == 1
    assert value("events_total") == value("seq") == value("log_events") == position == 3
    assert value("resumes_total") == 1
    assert value("snapshots_sent_total", reason="connect") == 5
    assert value("state_keys") == 3
    assert value("log_bytes") > 0 and value("state_bytes") > 0
    assert value("skipped_events_total") == value("slow_clients") == 0


async def test_frames_and_bytes_count_what_was_sent(relay, pusher, connect):
    clients = [await connect(relay) for _ in range(3)]
    before = relay.metrics()
    for _ in range(100):
        pusher.broadcast("count", "x" * 1000)
    for client in clients:
        await client.read_to_seq(100)
    after = relay.metrics()
    assert after.value("frames_sent_total") - before.value("frames_sent_total") == 300
    sent = sum(len(m.text) + 4 for m in clients[0].events()) * 3
    assert after.value("bytes_sent_total") - before.value("bytes_sent_total") == sent


async def test_the_fanout_histogram_is_cumulative_and_complete(relay, pusher, connect):
    client = await connect(relay)
    for _ in range(50):
        pusher.broadcast("tick")
        await client.next_event()
    metrics = relay.metrics()
    buckets = metrics.labels("fanout_seconds_bucket", "le")
    counts = [count for _, count in sorted(buckets.items(), key=lambda b: float(b[0]))]
    assert counts == sorted(counts)
    assert counts[-1] == buckets["+Inf"] == metrics.value("fanout_seconds_count") > 0
    assert 0 < metrics.value("fanout_seconds_sum") < 50
    assert math.isfinite(metrics.value("fanout_seconds_sum"))


async def test_build_info_has_the_version_that_health_and_the_command_line_tell(relay, runtime_dir):
    version = relay.health()["version"]
    assert relay.metrics().labels("build_info", "version") == {version: 1}
    assert version in run_relay("--version", runtime_dir=runtime_dir).stdout


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
async def test_promtool_finds_no_fault(relay, pusher, connect):
    await busy(relay, pusher, connect)
    check = subprocess.run(["promtool", "check", "metrics"], input=relay.metrics_text(), text=True,
                           capture_output=True, timeout=10, check=False)
    assert (check.returncode, check.stdout + check.stderr) == (0, "")


async def test_the_page_declares_its_format(relay):
    reply = relay.http(path="/metrics", port=relay.ready["admin"])
    assert reply.headers["Content-Type"].startswith("text/plain")
    assert relay.http(path="/ws/sync", port=relay.ready["admin"]).status == 404


async def test_a_label_that_clients_choose_does_not_exist(relay):
    """Neither paths nor origins become labels: their number has no bound."""
    for number in range(20):
        with RawClient(relay.port) as client:
            client.send(upgrade_request(f"/path{number}", Origin=f"http://o{number}.example"))
            client.read_head()
    text = relay.metrics_text()
    assert "path1" not in text and "o1.example" not in text


async def test_without_the_option_there_is_no_admin_listener(start_relay):
    assert start_relay(admin=False).ready["admin"] is None


async def test_closed_clients_are_counted_by_code(relay, connect):
    client = await connect(relay)
    await client.leave()
    await until(lambda: relay.metrics().value("clients_closed_total", code="1000") == 1, "the close is counted")


async def test_settling_leaves_no_trace_in_the_state(relay, pusher):
    before = relay.metrics()
    await settle(relay, pusher)
    after = relay.metrics()
    assert before.value("state_keys") == after.value("state_keys") == 2
