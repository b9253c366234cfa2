"""The proxies of examples/proxies as processes: each example's own file, with ports, names and times replaced."""

import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

from deadline import wait_until

EXAMPLES = Path(__file__).resolve().parents[2] / "examples/proxies"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def hears(pid, signal_number):
    """Whether the process has said what is to be done at that signal, and would do it now."""
    text = Path(f"/proc/{pid}/status").read_text()
    lines = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    return all(int(lines[name], 16) >> signal_number - 1 & 1 == wanted for name, wanted in (("SigCgt", 1), ("SigBlk", 0)))


class Proxy:
    """Running and ready when the constructor returns. `idle` is its timeout in seconds."""

    FILE = IDLE = None  # the example's file, and what it says of the timeout
    PROGRAM = None
    RELOAD = None  # the signal that has it read its file again
    ends_connections_at_reload = False

    def __init__(self, directory, certificate, relay_port, app_port, idle):
        self.directory = Path(directory)
        self.port, self.plain_port = free_port(), free_port()
        self.relay_port, self.idle = relay_port, idle
        certificate.into(self.directory)
        self.write(app_port)
        self.start()

    @classmethod
    def is_there(cls):
        return shutil.which(cls.PROGRAM, path=os.environ["PATH"] + ":/usr/sbin") is not None

    @property
    def name(self):
        return name_of(type(self))

    @classmethod
    def command(cls):
        """What starts it, as the first line of the example's file has it."""
        first = (EXAMPLES / name_of(cls) / cls.FILE).read_text().splitlines()[0]
        return shlex.split(first.split(" In this directory: ")[1])

    def write(self, app_port):
        """The example's file as this one runs it."""
        text = (EXAMPLES / self.name / self.FILE).read_text()
        for old, new in self.changes(app_port):
            assert old in text, f"{self.FILE} has no {old!r}"
            text = text.replace(old, new)
        (self.directory / self.FILE).write_text(text)

    def changes(self, app_port):
        idle = [(self.IDLE.format(60), self.IDLE.format(self.idle))] if self.IDLE else []
        behind = [("127.0.0.1:8642", f"127.0.0.1:{self.relay_port}"), ("127.0.0.1:8000", f"127.0.0.1:{app_port}")]
        return [*behind, *idle]

    def start(self):
        self._log = []
        self._process = subprocess.Popen(self.command(), cwd=self.directory, text=True, stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                                         env={**os.environ, "HOME": str(self.directory), "LC_ALL": "C.UTF-8",
                                              "PATH": os.environ["PATH"] + ":/usr/sbin"})
        self._reader = threading.Thread(target=self._log.extend, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        wait_until(lambda: self._is_ready() or self._process.poll() is not None, f"{self.name} is ready")
        assert self._process.poll() is None, self.log()

    def _is_ready(self):
        return accepts(self.port) and (self.RELOAD is None or hears(self._process.pid, self.RELOAD))

    def reload(self):
        """Has it read its file again."""
        self._process.send_signal(self.RELOAD)

    def stop(self):
        """All its processes end at once, as when its machine goes."""
        if self._process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    def log(self):
        return "".join(self._log)


class Nginx(Proxy):
    FILE, PROGRAM, IDLE, RELOAD = "nginx.conf", "nginx", "_timeout {}s;", signal.SIGHUP

    def changes(self, app_port):
        return [*super().changes(app_port), ("listen 443", f"listen 127.0.0.1:{self.port}"),
                ("listen 80", f"listen 127.0.0.1:{self.plain_port}")]


class Haproxy(Proxy):
    FILE, PROGRAM, IDLE, RELOAD = "haproxy.cfg", "haproxy", "timeout tunnel {}s", signal.SIGUSR2

    def changes(self, app_port):
        return [*super().changes(app_port), ("bind :443", f"bind 127.0.0.1:{self.port}"),
                ("bind :80", f"bind 127.0.0.1:{self.plain_port}")]


class Apache(Proxy):
    FILE, PROGRAM, IDLE, RELOAD = "apache.conf", "apache2", "Timeout {}", signal.SIGUSR1

    def changes(self, app_port):
        ports = (("443", self.port), ("80", self.plain_port))
        listen = [(f"Listen {old}\n", f"Listen 127.0.0.1:{new}\n") for old, new in ports]
        return [*super().changes(app_port), *listen, *[(f"*:{old}>", f"*:{new}>") for old, new in ports]]


class Caddy(Proxy):
    """Reads its file again when it is told so over its admin listener."""

    FILE, PROGRAM = "Caddyfile", "caddy"
    ends_connections_at_reload = True

    def changes(self, app_port):
        mine = [f"admin unix//{self.directory}/admin.sock", f"storage file_system {self.directory}/storage",
                f"http_port {self.plain_port}", f"https_port {self.port}"]
        return [*super().changes(app_port), ("app.example.com {", "\n".join(["{", *mine, "}", "localhost {"]))]

    def reload(self):
        command = ["caddy", "reload", "--config", "Caddyfile"]
        subprocess.run(command, cwd=self.directory, check=True, capture_output=True)


def name_of(kind):
    return kind.__name__.lower()


ALL = [Nginx, Haproxy, Apache, Caddy]
