"""The page of metrics, from the /metrics of relays that run: one of a cluster, so that it has those, too."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

SECONDS = 20
ABOUT_CLUSTERS = "syncrelay_cluster_"


def page(binary: Path, generated: str, cell: Callable[[str], str]) -> str:
    """Needs redis-server. `cell` is what makes a text fit into a table."""
    rows = [_row(*metric, cell) for metric in _metrics(_scrape(binary))]
    clusters = [row for row in rows if ABOUT_CLUSTERS in row]
    return "\n".join([
        "# Metrics\n", generated.format("a running relay's `/metrics`"),
        "\nOf `--admin HOST:PORT`, in Prometheus' format.\n",
        *_TITLES, *[row for row in rows if row not in clusters],
        "\n## With `--cluster`\n", *_TITLES, *clusters]) + "\n"


_TITLES = ["| metric | | type | labels |", "|---|---|---|---|"]


def _metrics(text: str) -> list[tuple[str, str, list[str], str]]:
    """Name, type, labels, help."""
    helps = dict(re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE))
    found = []
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        samples = re.findall(rf"^{name}(?:_bucket|_sum|_count)?\{{(.*?)\}} ", text, re.MULTILINE)
        labels = sorted({label for sample in samples for label in re.findall(r'(\w+)="', sample)})
        found.append((name, kind, labels, helps.get(name, "")))
    return found


def _row(name: str, kind: str, labels: list[str], said: str, cell: Callable[[str], str]) -> str:
    return f"| `{name}` | {cell(said)} | {kind} | {', '.join(labels)} |"


def _scrape(binary: Path) -> str:
    with tempfile.TemporaryDirectory(prefix="syncrelay-docs-") as folder, _redis(folder) as url:
        with _relay(binary, folder, "--cluster", url) as ready:
            # A metric has its labels once there is something to count: a client that is gone, a request that was answered.
            subprocess.run([binary, "watch", "--count", "1", "--host", "127.0.0.1", "--port", str(ready["port"])],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=SECONDS)
            end = time.monotonic() + SECONDS
            while "syncrelay_clients_closed_total{" not in (text := _read(ready)) or "admin_requests_total{" not in text:
                assert time.monotonic() < end, "nothing was counted"
            return text


def _read(ready: dict) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{ready['admin']}/metrics", timeout=SECONDS) as answer:
        return answer.read().decode()


@contextmanager
def _relay(binary: Path, folder: str, *options: str) -> Iterator[dict]:
    relay = subprocess.Popen(
        [binary, "--host", "127.0.0.1", "--port", "0", "--admin", "127.0.0.1:0", "--runtime-dir", f"{folder}/run",
         "--shards", "1", *options],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert relay.stdout
        yield json.loads(relay.stdout.readline())
    finally:
        _end(relay)


@contextmanager
def _redis(folder: str) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--save", ""],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert server.stdout
        assert any("ready to accept connections" in line.lower() for line in server.stdout), "redis-server does not start"
        yield f"redis://127.0.0.1:{port}"
    finally:
        _end(server)


def _end(program: subprocess.Popen) -> None:
    program.terminate()
    program.wait(SECONDS)
    assert program.stdout
    program.stdout.close()
