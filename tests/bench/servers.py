"""The servers under load: how each is started, reached and ended."""

import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

BENCH = Path(__file__).resolve().parent
RELAY = "relay"
BEFORE = "relay-before"
DURABLE = "relay --data"
WITH_MEMBERS = "relay-with-members"
WITH_TLS = "relay-tls"
DEFLATING = "relay-deflate"
CLUSTER = "cluster-of-1"
CLUSTER_OF_THREE = "cluster-of-3"
CONFIRMING = (RELAY, BEFORE, DURABLE, CLUSTER, CLUSTER_OF_THREE)
START_TIMEOUT = 20.0
STOP_TIMEOUT = 10.0


class ServerError(Exception):
    """A server did not start, or did not answer."""


@dataclass(frozen=True)
class Start:
    """How a server can be started for one run."""

    command: list[str]
    port: int = 0  # 0: the ready line tells
    publish: str = ""  # empty: http to the same port
    control: str = ""  # empty: it confirms nothing
    own_state: bool = False  # no SYNCRELAY_ variable of the caller's may change it


@dataclass(frozen=True)
class Server:
    """One kind of server."""

    name: str
    start: Callable[[Path, int], Start]  # (a directory for the run, clients to come)
    greetings: int = 1  # messages that a new client gets by itself
    slow: bool = False  # measured once, with fewer events
    asked_for: bool = False  # runs only when it is named
    tls: bool = False  # clients speak TLS
    deflate: bool = False  # its clients offer permessage-deflate
    missing: str = ""  # why it cannot run here


@dataclass(frozen=True)
class Running:
    """A server that accepts clients."""

    pids: list[int]
    port: int
    publish: str
    control: str = ""


@contextmanager
def running(
    server: Server, clients: int, pin: list[str], options: list[str]
) -> Iterator[Running]:
    """Starts the server with further options, and ends it by its process id, whatever happens inside."""
    with tempfile.TemporaryDirectory(prefix="syncrelay-bench-") as name:
        directory = Path(name)
        start = server.start(directory, clients)
        with open(directory / "stderr", "w+b") as stderr:
            process = subprocess.Popen(
                pin + start.command + options,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=_environment(start),
                start_new_session=True,  # Ctrl-C on the terminal comes to the orchestrator alone
            )
            try:
                yield _wait_until_ready(process, start, directory / "stderr")
            finally:
                end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, then SIGKILL for one that does not listen."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def _environment(start: Start) -> dict[str, str]:
    if not start.own_state:
        return dict(os.environ)
    return {key: value for key, value in os.environ.items() if not key.startswith("SYNCRELAY_")}


def _wait_until_ready(
    process: "subprocess.Popen[bytes]", start: Start, stderr: Path
) -> Running:
    deadline = time.monotonic() + START_TIMEOUT
    try:
        if start.port:
            _wait_for_listener(start.port, deadline)
        port = start.port or _port_from_ready_line(process, deadline)
    except ServerError as error:
        raise ServerError(f"{error}; its last words: {stderr.read_text()[-500:]!r}") from None
    return Running(_process_tree(process.pid), port, start.publish or f"http:{port}", start.control)


def _port_from_ready_line(process: "subprocess.Popen[bytes]", deadline: float) -> int:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], deadline - time.monotonic())
    line = process.stdout.readline() if readable else b""
    try:
        return int(json.loads(line)["port"])
    except (ValueError, KeyError):
        raise ServerError(f"{process.args!r} printed {line!r} instead of a ready line") from None


def _wait_for_listener(port: int, deadline: float) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise ServerError(f"nobody listens on port {port}: {error}") from None
            time.sleep(0.05)


def _process_tree(pid: int) -> list[int]:
    tree = [pid]
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        tree += _process_tree(int(child))
    return tree


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _commands(directory: Path) -> str:
    return f"ipc://{directory}/commands.sock"


def relay(binary: Path, shards: int, extra: list[str], durable: bool = False) -> Server:
    def start(directory: Path, clients: int) -> Start:
        command = [str(binary), "--host", "127.0.0.1", "--port", "0"]
        command += ["--runtime-dir", str(directory), "--max-clients", str(clients + 100)]
        command += ["--shards", str(shards), *extra]
        if durable:
            command += ["--data", str(directory / "data")]
        control = f"ipc://{directory}/control.sock"
        return Start(command, publish="zmq:" + _commands(directory), control=control, own_state=True)

    missing = "" if binary.is_file() else f"{binary} does not exist"
    return Server(DURABLE if durable else RELAY, start, missing=missing)


def relay_before(binary: Path, shards: int, extra: list[str]) -> Server:
    """Another build of it, to compare with."""
    return replace(relay(binary, shards, extra), name=BEFORE)


def relay_with_members(binary: Path, shards: int, extra: list[str]) -> Server:
    """The same, keeping members of all channels, though nobody says who it is."""
    kept = ["--anonymous-identity", "--presence", "*"]
    return replace(relay(binary, shards, [*kept, *extra]), name=WITH_MEMBERS, asked_for=True)


def relay_with_tls(binary: Path, shards: int, extra: list[str]) -> Server:
    """The same over TLS, with a certificate of its own making."""
    plain = relay(binary, shards, extra)

    def start(directory: Path, clients: int) -> Start:
        pair = self_signed(directory)
        begun = plain.start(directory, clients)
        return replace(begun, command=[*begun.command, "--tls-cert", pair[0], "--tls-key", pair[1]])

    return replace(plain, name=WITH_TLS, start=start, tls=True, asked_for=True)


def self_signed(directory: Path) -> tuple[str, str]:
    """Certificate and key, P-256, in files."""
    certificate, key = str(directory / "relay.pem"), str(directory / "relay.key")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost"
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def relay_deflating(binary: Path, shards: int, extra: list[str]) -> Server:
    """The same, with clients that offer permessage-deflate."""
    return replace(relay(binary, shards, extra), name=DEFLATING, asked_for=True, deflate=True)


def cluster(binary: Path, relays: int, extra: list[str]) -> Server:
    """So many relays on a Redis of their own; clients and commands come to the first."""
    plain = relay(binary, 1, extra)

    def start(directory: Path, clients: int) -> Start:
        begun = plain.start(directory, clients)
        command = [sys.executable, "-B", str(BENCH / "cluster_server.py"), str(relays), str(directory)]
        return replace(begun, command=[*command, *begun.command])

    name = CLUSTER if relays == 1 else CLUSTER_OF_THREE
    missing = plain.missing or ("" if shutil.which("redis-server") else "needs redis-server")
    return Server(name, start, asked_for=True, missing=missing)


def limit(binary: Path, name: str, mode: str) -> Server:
    def start(directory: Path, clients: int) -> Start:
        del clients
        command = [str(binary), "--mode", mode, "--commands", _commands(directory)]
        return Start(command, publish="zmq:" + _commands(directory))

    return Server(name, start)


def original() -> Server:
    def start(directory: Path, clients: int) -> Start:
        del directory, clients
        return Start([sys.executable, str(BENCH / "original" / "server.py")])

    probe = [sys.executable, "-c", "import fastapi, uvicorn, websockets"]
    packages = "python3-fastapi, python3-uvicorn, python3-websockets"
    missing = "" if _succeeds(probe) else f"needs {packages}"
    return Server("original", start, slow=True, missing=missing)


def node_ws() -> Server:
    def start(directory: Path, clients: int) -> Start:
        del directory, clients
        return Start(["node", str(BENCH / "peers" / "node_ws.js")])

    probe = ["node", "-e", f"require(require.resolve('ws', {{paths: ['{BENCH / 'peers'}']}}))"]
    missing = "" if _succeeds(probe) else "needs node and `npm install` in tests/bench/peers"
    return Server("node-ws", start, slow=True, missing=missing)


def nchan() -> Server:
    def start(directory: Path, clients: int) -> Start:
        del clients
        port = _free_port()
        template = (BENCH / "peers" / "nchan.conf").read_text()
        config = directory / "nginx.conf"
        config.write_text(template.format(directory=directory, port=port))
        errors = str(directory / "error.log")
        return Start(["nginx", "-e", errors, "-c", str(config), "-p", str(directory)], port=port)

    installed = shutil.which("nginx") and Path(
        "/usr/lib/nginx/modules/ngx_nchan_module.so"
    ).is_file()
    missing = "" if installed else "needs nginx-core and libnginx-mod-nchan"
    return Server("nchan", start, greetings=0, slow=True, missing=missing)


def _succeeds(command: list[str]) -> bool:
    if not shutil.which(command[0]):
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
