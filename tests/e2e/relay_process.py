"""One relay under test: starts the real binary, waits for its ready line, looks at it from outside."""

import contextlib
import functools
import json
import os
import pathlib
import re
import resource
import select
import signal
import subprocess
import threading
import time
from http.client import HTTPConnection

from deadline import PATIENCE, wait_until
from metrics_page import MetricsPage

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
READY_SECONDS = 30.0  # a relay of a cluster may wait for the others
LISTENING = "0A"  # the state's number in /proc/net/tcp
SANITIZER_FINDINGS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
                      "WARNING: ThreadSanitizer")


def binary():
    return os.environ.get("SYNCRELAY_BINARY") or str(REPOSITORY / "build" / "syncrelay")


def is_sanitized():
    """Sanitizers keep freed memory for a while, so bounds on memory mean nothing under them."""
    content = pathlib.Path(binary()).read_bytes()
    return b"__asan_init" in content or b"__tsan_init" in content


def environment(runtime_dir, extra=None):
    """The caller's environment without settings of the relay, then `extra`."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SYNCRELAY_")}
    return {**clean, "SYNCRELAY_RUNTIME_DIR": str(runtime_dir), **(extra or {})}


def run_relay(*arguments, runtime_dir, env=None, seconds=10.0):
    """Runs the binary to its end: for what is expected to exit by itself."""
    return subprocess.run([binary(), *map(str, arguments)], env=environment(runtime_dir, env),
                          capture_output=True, text=True, timeout=seconds, check=False)


class RelayExited(Exception):
    """The relay ended before it was ready."""


class Reply:
    """An HTTP answer, read to its end."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read().decode()

    def json(self):
        return json.loads(self.body)


class RelayProcess:
    """A running relay on a free port. `ready` is its ready line; `runtime_dir` outlives it."""

    def __init__(self, *arguments, runtime_dir, env=None, admin=True, open_files=None, launcher=(),
                 log_to=None):
        """`launcher` is a command line that ends by executing what is appended to it; `log_to` a descriptor for
        standard error that this object does not read: log() is empty then."""
        self.runtime_dir = pathlib.Path(runtime_dir)
        command = [*launcher, binary(), "--host", "127.0.0.1", "--port", "0"]
        command += ["--admin", "127.0.0.1:0"] if admin else []
        limit = functools.partial(resource.setrlimit, resource.RLIMIT_NOFILE, open_files) if open_files else None
        self._process = subprocess.Popen(command + [str(a) for a in arguments], text=True, errors="replace",
                                         env=environment(runtime_dir, env), preexec_fn=limit,
                                         stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE if log_to is None else log_to)
        self._lines = []
        self._killed = False
        self._reader = threading.Thread(target=self._collect_log, daemon=True)
        self._reader.start()
        self.ready_line = self._read_ready_line()
        self.ready = json.loads(self.ready_line)
        self.pid = self._process.pid
        self.port = self.ready["port"]
        self.endpoint = self.ready["commands"][0]

    def _collect_log(self):
        with self._process.stderr or contextlib.nullcontext([]) as lines:
            for line in lines:
                self._lines.append(line)

    def _read_ready_line(self):
        end = time.monotonic() + READY_SECONDS
        line = ""
        if select.select([self._process.stdout], [], [], end - time.monotonic())[0]:
            line = self._process.stdout.readline()
        if not line:
            self._process.kill()
            code = self._process.wait()
            self._reader.join()
            raise RelayExited(f"no ready line, exit code {code}, log:\n{self.log()}")
        return line

    # What it says.

    def log(self):
        """What has come of it: all, once the relay has ended. While it runs a line may come later than what it tells."""
        return "".join(self._lines)

    def logged(self, text):
        """The first line of the log that holds `text`, which is waited for."""
        return wait_until(lambda: next((line for line in list(self._lines) if text in line), None),
                          f"the log says {text!r}")

    def log_of_start(self):
        """The log with all that was said before the relay was ready; for --log-level info."""
        self.logged(" ready ")
        return self.log()

    def rest_of_output(self):
        """Standard output after the ready line; call it when the relay has ended."""
        return self._process.stdout.read()

    def http(self, method="GET", path="/health", port=None, headers=None, body=None):
        connection = HTTPConnection("127.0.0.1", port or self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def health(self):
        reply = self.http()
        assert reply.status == 200, reply.body
        return reply.json()

    def metrics_text(self):
        reply = self.http(path="/metrics", port=self.ready["admin"])
        assert reply.status == 200, reply.body
        return reply.body

    def metrics(self):
        return MetricsPage(self.metrics_text())

    # What the kernel says about it.

    def _status_kib(self, name):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise KeyError(name)

    def rss(self):
        """Resident bytes now."""
        return self._status_kib("VmRSS") * 1024

    def peak_rss(self):
        """Most resident bytes so far."""
        return self._status_kib("VmHWM") * 1024

    def threads(self):
        return self._status_kib("Threads")

    def fds(self):
        """Open descriptors of all kinds. A backend that connects adds one whenever the relay gets to it, and an HTTP
        answer is read before the relay has closed its end: for what is to come back look at connections()."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def connections(self):
        """Accepted TCP connections that it holds a descriptor of, alive or not: clients, HTTP, peers over TCP."""
        return len(self._socket_inodes() - self._inodes("unix", 6) - self._inodes("tcp", 9, LISTENING)
                   - self._inodes("tcp6", 9, LISTENING))

    def _socket_inodes(self):
        found = set()
        for link in pathlib.Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed since
                found.update(re.findall(r"^socket:\[(\d+)\]$", os.readlink(link)))
        return found

    def _inodes(self, family, column, state=None):
        lines = pathlib.Path(f"/proc/{self.pid}/net/{family}").read_text().splitlines()[1:]
        rows = [line.split() for line in lines]
        return {row[column] for row in rows if state is None or row[3] == state}

    # How it ends.

    def signal(self, number):
        self._process.send_signal(number)

    def exit_code(self):
        """None while it runs."""
        return self._process.poll()

    def wait(self, seconds=10.0):
        code = self._process.wait(seconds)
        self._reader.join()
        return code

    def stop(self, seconds=10.0):
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self):
        self._killed = True
        self._process.kill()
        return self.wait()

    def dispose(self):
        """Ends it whatever state it is in, then fails if it had crashed or a sanitizer complained."""
        if self.exit_code() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                wait_until(lambda: self.exit_code() is not None, "the relay has stopped", 8.0)
            except AssertionError:
                self.kill()
                raise
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        assert self._killed or self.exit_code() in (0, 1, 2), self._ending()
        assert not any(f in self.log() for f in SANITIZER_FINDINGS), self._ending()

    def _ending(self):
        return f"exit code {self.exit_code()}, log:\n{self.log()}"
