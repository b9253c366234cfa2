"""When each alert fires, and what comes close and must not fire it. promtool plays them, a sample every 15 s.

A series is written as promtool has it: `0+6x80` begins at 0 and grows by 6 with each of 80 samples.
"""

from dataclasses import dataclass, field

from monitoring import alerts

HERE = '{job="syncrelay",instance="relay:8643"}'
LENGTH = 240  # samples: an hour


@dataclass(frozen=True)
class Case:
    fires: dict[str, str]  # series to values
    at: str  # when it fires at the latest
    quiet: dict[str, str]  # what comes close
    too_early: str = ""  # when the first has not fired yet
    labels: dict[str, str] = field(default_factory=dict)


def metric(name, **labels):
    more = "".join(f',{label}="{value}"' for label, value in labels.items())
    return f"syncrelay_{name}" + HERE[:-1] + more + "}"


def steady(value):
    return f"{value}+0x{LENGTH}"


def growing(by):
    return f"0+{by}x{LENGTH}"


def once(by):
    """Grows once, after ten minutes."""
    return f"0+0x40 {by}+0x{LENGTH - 40}"


def fan_out(slow_share):
    """A hundred events each 15 s, of which a share takes between 0.25 and 1 s."""
    fast = round(100 * (1 - slow_share))
    counts = {"0.1": fast, "0.25": fast, "1": 100, "+Inf": 100}
    return {metric("fanout_seconds_bucket", le=le): growing(count) for le, count in counts.items()}


def rejected(reason, values):
    return {metric("commands_rejected_total", reason=reason): values}


CASES = {
    "SyncrelayDown": Case(
        {"up" + HERE: f"1+0x40 0+0x{LENGTH - 40}"}, "13m", {"up" + HERE: f"1+0x40 0 0 1+0x{LENGTH - 42}"}, "10m30s"),
    "SyncrelayRefusesClients": Case(
        {metric("clients_refused_total", reason="max_clients"): once(1)}, "11m",
        {metric("clients_refused_total", reason=reason): growing(9) for reason in ("origin", "not_found", "handshake")},
        "9m", {"reason": "max_clients"}),
    "SyncrelayStorageFails": Case(
        rejected("storage_full", once(1)), "11m", rejected("no_storage", once(1)), "9m", {"reason": "storage_full"}),
    "SyncrelayClusterUnavailable": Case(
        rejected("cluster_unavailable", once(1)), "11m", rejected("busy", growing(0)), "9m"),
    "SyncrelayBoundReached": Case(
        rejected("state_full", once(2)), "11m", rejected("invalid_json", once(2)), "9m", {"reason": "state_full"}),
    "SyncrelayRejectsCommands": Case(
        rejected("invalid_json", growing(1)), "15m",
        {**rejected("conflict", growing(9)), **rejected("unknown_client", growing(9)), **rejected("too_large", once(5))},
        "8m", {"reason": "invalid_json"}),
    "SyncrelayFanOutSlow": Case(fan_out(0.05), "10m", fan_out(0.005), "3m"),
    "SyncrelaySlowClients": Case(
        {metric("slow_clients"): steady(30), metric("clients"): steady(100)}, "12m",
        {metric("slow_clients"): steady(9), metric("clients"): steady(18)}, "8m"),
    "SyncrelaySkipsEvents": Case(
        {metric("skipped_events_total"): growing(3)}, "20m", {metric("skipped_events_total"): once(500)}, "12m"),
    "SyncrelayReconnectStorm": Case(
        {metric("clients_accepted_total"): growing(50), metric("clients"): steady(200)}, "12m",
        {metric("clients_accepted_total"): once(300), metric("clients"): f"0+0x40 300+0x{LENGTH - 40}"}, "4m"),
    "SyncrelayInboxStuck": Case(
        {metric("inbox_messages"): steady(5), metric("inbox_done_total"): steady(7)}, "15m",
        {metric("inbox_messages"): steady(5), metric("inbox_done_total"): growing(1)}),
    "SyncrelayInboxRefuses": Case(
        {metric("inbox_refused_total", reason="inbox_full"): once(1)}, "11m",
        {metric("inbox_refused_total", reason="no_backend"): growing(1)}, "9m", {"reason": "inbox_full"}),
    "SyncrelayTokensRefused": Case(
        {metric("tokens_refused_total", fault="signature"): growing(5)}, "20m",
        {metric("tokens_refused_total", fault="expired"): growing(5), metric("tokens_refused_total", fault="claims"): once(9)},
        "8m", {"fault": "signature"}),
    "SyncrelayTlsFails": Case(
        {metric("tls_handshakes_failed_total", listener="clients", reason="refused"): growing(5)}, "20m",
        {metric("tls_handshakes_failed_total", listener="clients", reason="plain"): growing(5)},
        "8m", {"reason": "refused"}),
    "SyncrelayRefusesBackends": Case(
        {metric("command_connections_refused_total"): once(1)}, "11m",
        {metric("command_connections_refused_total"): steady(4)}, "9m"),
    "SyncrelayLogLinesLost": Case(
        {metric("log_lines_dropped_total"): once(3)}, "11m", {metric("log_lines_dropped_total"): steady(3)}, "9m"),
}


def rendered(text, labels):
    for name, value in labels.items():
        text = text.replace("{{ $labels.%s }}" % name, value)
    assert "{{" not in text, text
    return text


def played(series):
    return {"interval": "15s", "input_series": [{"series": name, "values": values} for name, values in series.items()]}


def fired(name, case):
    """The alert as promtool expects it, with all its labels and texts."""
    rule = alerts()[name]
    labels = {"job": "syncrelay", "instance": "relay:8643", **case.labels}
    texts = {key: rendered(text, labels) for key, text in rule["annotations"].items()}
    return [{"exp_labels": {**labels, **rule["labels"]}, "exp_annotations": texts}]


def plays_of(name, case):
    asked = [(case.at, fired(name, case))] + ([(case.too_early, [])] if case.too_early else [])
    others = [(f"{minute}m", []) for minute in range(5, 60, 5)]
    for series, expected in ((case.fires, asked), (case.quiet, others)):
        yield {**played(series), "alert_rule_test": [
            {"alertname": name, "eval_time": time, "exp_alerts": found} for time, found in expected]}
