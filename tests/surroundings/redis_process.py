"""A real redis-server with a directory of its own: killed, paused, emptied, promoted."""

import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from deadline import wait_until


def free_port() -> int:
    """Below 32768, where no outgoing connection takes it meanwhile."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = 10_000 + probe.getsockname()[1] % 20_000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Redis:
    def __init__(self, *options: str, port: int | None = None):
        self.port = port or free_port()
        self.options = options
        self.directory = Path(tempfile.mkdtemp(prefix="syncrelay-redis-"))
        self.process: subprocess.Popen | None = None
        try:
            self.start()
        except BaseException:
            self.dispose()
            raise

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--dir", str(self.directory), "--save", "",
             "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0", *self.options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        wait_until(lambda: self.answers(), f"redis-server on {self.port} answers")

    def answers(self) -> bool:
        return self.try_cli("PING") == "PONG"

    def try_cli(self, *words: str) -> str:
        done = subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True)
        return done.stdout.strip()

    def cli(self, *words: str) -> str:
        done = subprocess.run(["redis-cli", "-e", "-p", str(self.port), *words], capture_output=True, text=True,
                              timeout=10)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def raw(self, *words: bytes) -> bytes:
        """The beginning of the answer to a command of any bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            request = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
            connection.sendall(request)
            return connection.recv(65536)

    def append_entry(self, version: bytes = b"1", data: bytes = b"", more: tuple = (), prefix: str = "syncrelay") -> None:
        """An entry behind the last one of a cluster's log, as a relay of another version might write it."""
        info = f"{{{prefix}}}:info"
        number = int(self.cli("HGET", info, "n")) + 1
        generation = self.cli("HGET", info, "generation")
        answer = self.raw(b"XADD", f"{{{prefix}}}:log".encode(), b"*", b"v", version, b"k", b"l", b"g", generation.encode(),
                          b"n", b"%d" % number, b"r", b"0123456789abcdef", b"b", b"1", b"d", data, *more)
        assert answer.startswith(b"$"), answer
        self.cli("HSET", info, "n", str(number))

    def url(self, rest: str = "") -> str:
        return f"redis://127.0.0.1:{self.port}{rest}"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        self.kill()
        self.start()

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def replicate(self, master: "Redis") -> None:
        self.cli("REPLICAOF", "127.0.0.1", str(master.port))
        wait_until(lambda: "master_link_status:up" in self.cli("INFO", "replication"), "the replica has its copy")

    def promote(self) -> None:
        self.cli("REPLICAOF", "NO", "ONE")

    def kill_readers(self) -> None:
        for line in self.cli("CLIENT", "LIST").splitlines():
            if "cmd=xread" in line:
                self.cli("CLIENT", "KILL", "ID", line.split()[0].partition("=")[2])

    def cut_replica(self) -> None:
        """The replica gets nothing more, and thinks that it is one all the same."""
        self.cli("REPLICAOF", "127.0.0.1", "1")

    def dispose(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
