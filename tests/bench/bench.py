"""Measures the relay against a yardstick, and what it replaces; see --help.

One server runs at a time, on one core, with the load client on another. Servers take turns, so that
what else the machine does hits all of them.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import report
import servers
from report import Figures, Outcome, Result
from scenarios import SCENARIOS, Scenario

ROOT = Path(__file__).resolve().parents[2]
LOAD_TIMEOUT = 300.0
RESERVED_FILES = 500  # of the limit, for everything but clients


def main() -> int:
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = [server for server in choose_servers(options) if can_run(server)]
    load = options.build_dir / "tests" / "bench" / "bench_load"
    results: dict[str, Result] = {}
    document: dict[str, object] = {}
    for scenario in choose_scenarios(options):
        result = measure(scenario, chosen, load, options)
        verdicts = [] if options.quick else report.judge(result, results)
        results[scenario.name] = result
        report.print_result(result, verdicts)
        document[scenario.name] = report.as_json(result, verdicts)
    if options.json:
        whole = {"rounds": options.rounds, "shards": options.shards, "scenarios": document}
        options.json.write_text(json.dumps(whole, indent=2))
    outcomes = [outcome for result in results.values() for outcome in result.outcomes.values()]
    return 1 if any(outcome.error for outcome in outcomes) else 0


def parse_options() -> argparse.Namespace:
    names = [scenario.name for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__, allow_abbrev=False)
    add = parser.add_argument
    add("--quick", action="store_true", help="one small round, to see that it runs; judges nothing")
    add("--only", action="append", choices=names, metavar="SCENARIO", help=", ".join(names))
    add("--servers", help="comma-separated names, instead of all")
    add("--peers", action="store_true", help="also Node ws and nginx with nchan, where installed")
    add("--rounds", type=int, default=3)
    add("--shards", type=int, default=1, help="the relay's; the yardstick has one thread")
    add("--server-cpus", default="0", help="for taskset (default 0)")
    add("--load-cpus", default="1", help="for taskset (default 1)")
    add("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    add("--relay", type=Path, metavar="BINARY", help="measure this one instead of the build's")
    add("--against", type=Path, metavar="BINARY", help="measure this relay, too, in the same rounds: the build before a change")
    add("--relay-option", action="append", default=[], help="passed on to the relay")
    build_dir = ROOT / "build" / "bench"
    add("--build-dir", type=Path, default=build_dir, help="build nothing, take what is there")
    options = parser.parse_args()
    if options.quick:
        options.rounds = 1
    return options


def choose_servers(options: argparse.Namespace) -> list[servers.Server]:
    limit = options.build_dir / "tests" / "bench" / "bench_limit"
    relay = options.relay or options.build_dir / "syncrelay"
    known = [
        servers.relay(relay, options.shards, options.relay_option),
        servers.relay(relay, options.shards, options.relay_option, durable=True),
        servers.relay_with_members(relay, options.shards, options.relay_option),
        servers.relay_with_tls(relay, options.shards, options.relay_option),
        servers.relay_deflating(relay, options.shards, options.relay_option),
        servers.cluster(relay, 1, options.relay_option),
        servers.cluster(relay, 3, options.relay_option),
        servers.limit(limit, report.YARDSTICK, "coalescing"),
        servers.limit(limit, "per-event", "per-event"),
        servers.original(),
    ]
    if options.against:
        known.insert(1, servers.relay_before(options.against, options.shards, options.relay_option))
    if options.peers:
        known += [servers.node_ws(), servers.nchan()]
    if not options.servers:
        return [server for server in known if not server.asked_for]
    wanted = options.servers.split(",")
    unknown = set(wanted) - {server.name for server in known}
    if unknown:
        names = ", ".join(server.name for server in known)
        sys.exit(f"scripts/bench: no server {', '.join(unknown)}; there are: {names}")
    return [server for server in known if server.name in wanted]


def can_run(server: servers.Server) -> bool:
    if server.missing:
        print(f"left out: {server.name}: {server.missing}")
    return not server.missing


def choose_scenarios(options: argparse.Namespace) -> list[Scenario]:
    open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = [s for s in SCENARIOS if not options.only or s.name in options.only]
    sized = [s.quick() if options.quick else s for s in wanted]
    return [s.at_most(open_files - RESERVED_FILES) for s in sized]


def measure(
    scenario: Scenario, chosen: list[servers.Server], load: Path, options: argparse.Namespace
) -> Result:
    chosen = [server for server in chosen if scenario.durable or server.name != servers.DURABLE]
    if scenario.channels:
        chosen = [server for server in chosen if server.name in (servers.RELAY, servers.BEFORE)]
    if scenario.confirmed:
        chosen = [server for server in chosen if server.name in servers.CONFIRMING]
    result = Result(scenario, {server.name: Outcome() for server in chosen})
    for number in range(options.rounds):
        for server in chosen if number % 2 == 0 else reversed(chosen):
            outcome = result.outcomes[server.name]
            if outcome.error or (server.slow and number > 0):
                continue
            try:
                outcome.rounds.append(run_once(scenario, server, load, options))
            except servers.ServerError as error:
                outcome.error = str(error)
    return result


def run_once(
    scenario: Scenario, server: servers.Server, load: Path, options: argparse.Namespace
) -> Figures:
    sized = scenario.with_fewer_events() if server.slow and scenario.events else scenario
    more = ["--open-channels", "*"] if scenario.channels else []
    with servers.running(server, sized.clients, pin(options.server_cpus), more) as target:
        command = [*pin(options.load_cpus), str(load), *sized.arguments()]
        command += ["--port", str(target.port), "--publish", target.publish]
        command += ["--greetings", str(server.greetings)]
        command += ["--control", target.control] if scenario.confirmed else []
        command += ["--tls"] if server.tls else []
        command += ["--deflate"] if server.deflate else []
        for pid in target.pids:
            command += ["--server-pid", str(pid)]
        return run_load(command)


def run_load(command: list[str]) -> Figures:
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        output, errors = process.communicate(timeout=LOAD_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise servers.ServerError(f"no result after {LOAD_TIMEOUT:g} s") from None
    finally:
        if process.poll() is None:
            servers.end(process)
    if process.returncode != 0:
        raise servers.ServerError(errors.decode().strip())
    figures: Figures = json.loads(output)
    return figures


def pin(cpus: str) -> list[str]:
    if len(os.sched_getaffinity(0)) < 2:
        return []
    return ["taskset", "--cpu-list", cpus]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(f"scripts/bench: {error}")
