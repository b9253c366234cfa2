"""What is measured, what counts in it, and what the relay is to reach."""

import enum
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Metric:
    key: str  # as the load client prints it
    title: str
    digits: int = 0
    scale: float = 1.0


class Kind(enum.Enum):
    ratio_at_least = "x yardstick, at least"
    ratio_at_most = "x yardstick, at most"
    at_least = "at least"
    at_most = "at most"
    growth_at_most = "x the smallest load's, at most"
    durable_at_most = "with --data, x without, at most"
    cluster_at_least = "cluster, at least"
    cluster_ratio_at_least = "cluster, x the single relay, at least"
    cluster_adds_at_most = "cluster, more than the single relay, at most"


@dataclass(frozen=True)
class Target:
    metric: str
    kind: Kind
    limit: float
    base: str = ""  # growth_at_most: the scenario to compare with


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    load: str  # the load client's scenario
    metrics: tuple[Metric, ...]
    targets: tuple[Target, ...]
    clients: int
    events: int = 0
    data_bytes: int = 0
    repeat: int = 5
    rate: int = 0  # events per second, when paced
    durable: bool = False  # also with --data
    channels: int = 0  # of which every client follows `follows`; events go to each in turn
    follows: int = 1
    list_size: int = 1  # channels that one command goes to
    confirmed: bool = False  # commands on the control socket, one after the other, and no clients
    typical: bool = False  # data as backends say it, and no string of one letter

    def describe(self) -> str:
        return self.title.format(clients=self.clients, events=self.events, bytes=self.data_bytes)

    def arguments(self) -> list[str]:
        arguments = [self.load, "--clients", str(self.clients)]
        if self.events:
            arguments += ["--events", str(self.events), "--bytes", str(self.data_bytes)]
            arguments += ["--repeat", str(self.repeat)]
        if self.channels:
            arguments += ["--channels", str(self.channels), "--follows", str(self.follows)]
            arguments += ["--list", str(self.list_size)]
        if self.typical:
            arguments.append("--typical")
        if self.rate:
            arguments += ["--rate", str(self.rate)]
        return arguments

    def with_fewer_events(self) -> "Scenario":
        """For a server that is ten times slower or more."""
        return replace(self, events=max(5, self.events // 10), repeat=1)

    def quick(self) -> "Scenario":
        events = self.events if self.events <= 100 else self.events // 5
        return replace(self, clients=max(1, self.clients // 5), events=events, repeat=3)

    def at_most(self, clients: int) -> "Scenario":
        return replace(self, clients=min(self.clients, clients))


DELIVERIES = Metric("deliveries_per_second", "deliveries/s")
COMMANDS = Metric("deliveries_per_second", "commands/s")
CPU = Metric("server_cpu_us_per_delivery", "server CPU us/delivery", digits=3)
LOAD_BUSY = Metric("load_busy", "load client busy %", scale=100)
BYTES = Metric("bytes_per_delivery", "bytes/delivery")
LATENCY = (
    Metric("client_p50_us", "to client p50 us"),
    Metric("client_p99_us", "to client p99 us"),
    Metric("last_client_p50_us", "to last client p50 us"),
    Metric("last_client_p99_us", "to last client p99 us"),
)
ANSWER = (
    Metric("answer_p50_us", "answered p50 us"),
    Metric("answer_p99_us", "p99 us"),
    Metric("answer_max_us", "max us"),
)
ACCEPT_CPU = Metric("server_cpu_us_per_accept", "server CPU us/accept", digits=1)
ACCEPTS = Metric("accepts_per_second", "accepts/s")
RSS = Metric("rss_bytes_per_connection", "RSS bytes/connection")

BURST_METRICS = (DELIVERIES, CPU, LOAD_BUSY)
ACCEPT_METRICS = (ACCEPTS, ACCEPT_CPU, RSS)
BURST_TITLE = "burst: {events:,} events x {bytes:,} bytes to {clients:,} clients"
ACCEPT_TITLE = "accept: {clients:,} clients connect and stay idle"
AS_THE_YARDSTICK = (
    Target(DELIVERIES.key, Kind.ratio_at_least, 0.9),
    Target(DELIVERIES.key, Kind.cluster_ratio_at_least, 0.95),
)
ACCEPT_TARGETS = (Target(ACCEPT_CPU.key, Kind.at_most, 45), Target(RSS.key, Kind.at_most, 2048))
NOT_GROWING = (Target(ACCEPT_CPU.key, Kind.growth_at_most, 1.2, base="accept-1k"),)


def _burst(name: str, clients: int, events: int, data_bytes: int) -> Scenario:
    return Scenario(
        name, BURST_TITLE, "burst", BURST_METRICS, AS_THE_YARDSTICK, clients, events, data_bytes
    )


def _accept(name: str, clients: int, targets: tuple[Target, ...]) -> Scenario:
    return Scenario(name, ACCEPT_TITLE, "accept", ACCEPT_METRICS, targets, clients)


SCENARIOS = (
    _burst("burst-1k", clients=1_000, events=1_000, data_bytes=200),
    _burst("burst-10k", clients=10_000, events=50, data_bytes=200),
    _burst("burst-16kib", clients=500, events=100, data_bytes=16 * 1024),
    Scenario(
        "paced",
        "paced: {events:,} events x {bytes:,} bytes, 100 a second, to {clients:,} clients",
        "paced",
        (CPU, *LATENCY, LOAD_BUSY),
        (
            Target(CPU.key, Kind.ratio_at_most, 1.1),
            Target("last_client_p99_us", Kind.ratio_at_most, 1.2),
        ),
        clients=1_000,
        events=1_000,
        data_bytes=200,
    ),
    replace(
        _burst("burst-json", clients=1_000, events=1_000, data_bytes=600),
        metrics=(*BURST_METRICS, BYTES),
        typical=True,
    ),
    Scenario(
        "paced-json",
        "paced: {events:,} events x {bytes:,} bytes of JSON, 100 a second, to {clients:,} clients",
        "paced",
        (CPU, *LATENCY, LOAD_BUSY, BYTES),
        (),
        clients=1_000,
        events=1_000,
        data_bytes=600,
        typical=True,
    ),
    Scenario(
        "channel-each",
        "channels: {clients:,} clients with a channel each, {events} events x {bytes} bytes to each in turn",
        "channels",
        (CPU, DELIVERIES, LOAD_BUSY),
        (),
        clients=10_000,
        events=30,
        data_bytes=200,
        rate=20,
        channels=10_000,
        list_size=1_000,
    ),
    Scenario(
        "channels-100",
        "channels: {clients:,} clients in 100 of 1,000 channels each, {events} events x {bytes} bytes to each in turn",
        "channels",
        (CPU, DELIVERIES, LOAD_BUSY),
        (),
        clients=1_000,
        events=3,
        data_bytes=200,
        rate=500,
        channels=1_000,
        follows=100,
    ),
    _accept("accept-1k", 1_000, ACCEPT_TARGETS[:1]),
    _accept("accept-10k", 10_000, ACCEPT_TARGETS),
    _accept("accept-15k", 15_000, (*ACCEPT_TARGETS, *NOT_GROWING)),
    Scenario(
        "decode",
        "decode: {events:,} commands x {bytes:,} bytes to {clients} client",
        "burst",
        (COMMANDS, Metric(CPU.key, "server CPU us/command", digits=3), LOAD_BUSY),
        (
            Target(COMMANDS.key, Kind.at_least, 200_000),
            Target(COMMANDS.key, Kind.cluster_at_least, 50_000),
        ),
        clients=1,
        events=200_000,
        data_bytes=16,
        repeat=3,
    ),
    Scenario(
        "commands",
        "commands: {events:,} of {bytes:,} bytes, 10,000 a second, to {clients} client",
        "paced",
        (Metric(CPU.key, "server CPU us/command", digits=1), *LATENCY[:2], LOAD_BUSY),
        (Target(CPU.key, Kind.durable_at_most, 1.3),),
        clients=1,
        events=50_000,
        data_bytes=200,
        rate=10_000,
        durable=True,
    ),
    Scenario(
        "lone",
        "lone: {events:,} commands x {bytes:,} bytes, 200 a second, to {clients} client",
        "paced",
        (Metric(CPU.key, "server CPU us/command", digits=1), *LATENCY[:2]),
        (Target("client_p50_us", Kind.cluster_adds_at_most, 500),),
        clients=1,
        events=1_000,
        data_bytes=200,
        rate=200,
    ),
    Scenario(
        "confirmed",
        "confirmed: {events:,} commands x {bytes:,} bytes, 200 a second, each answered",
        "confirmed",
        (Metric(CPU.key, "server CPU us/command", digits=1), *ANSWER),
        (Target("answer_p50_us", Kind.cluster_adds_at_most, 500),),
        clients=1,
        events=1_000,
        data_bytes=200,
        rate=200,
        confirmed=True,
    ),
)
