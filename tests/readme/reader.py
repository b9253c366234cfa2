"""Somebody who types what the README says, on a machine where port 8642 may be taken.

The ports of the text are replaced by free ones, the runtime directory is a new one, and the files with keys
lie there; nothing else is changed. What the text installs goes into folders of its own, without an index of packages.
"""

import contextlib
import json
import os
import queue
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from readme import ROOT

PORTS = ("8642", "8643", "8644", "8645", "8652", "6379", "8000")
SECOND_DIR = "/tmp/syncrelay-b"
KEY_FILE = "token.key"
TLS_FILES = ("relay.key", "relay.pem")
TERMINAL_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def free_port() -> int:
    """Below the range that the system takes ports of outgoing connections from, so that it stays free."""
    for port in random.sample(range(10_000, 32_768), 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("a hundred ports were all taken")


def heed_interrupts():
    """As in a terminal. What runs in the background of a script ignores Ctrl-C, and whatever it starts would, too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Program:
    """Something typed that goes on running. Its standard input stays open."""

    def __init__(self, command, environment, cwd=ROOT):
        self._process = subprocess.Popen(
            command, cwd=cwd, env=environment, text=True, start_new_session=True, preexec_fn=heed_interrupts,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._lines = queue.Queue()
        self.seen = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(TERMINAL_CONTROL.sub("", line).strip())
        self._lines.put(None)

    def line_with(self, text, seconds=60):
        """The next line that has `text` in it."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                line = None
            assert line is not None, f"no line with {text!r} within {seconds} s: {self.seen}"
            self.seen.append(line)
            if text in line:
                return line

    def stop(self):
        """Asks it to end, as Ctrl-C does, and returns its exit code."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
        try:
            code = self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            raise
        self._reader.join()
        self._process.stdin.close()
        self._process.stdout.close()
        return code


class Reader:
    def __init__(self, home: Path) -> None:
        self._home = home
        self._runtime_dir = Path(tempfile.mkdtemp(prefix="syncrelay-readme-"))
        self._programs = []
        self._ports = {port: str(free_port()) for port in PORTS}
        self.environment = {
            **os.environ,
            "SYNCRELAY_RUNTIME_DIR": str(self._runtime_dir),
            "SYNCRELAY_PORT": self._ports["8642"],
            "XDG_STATE_HOME": f"{self._runtime_dir}/state",
            "PATH": f"{home}/npm/bin:{os.environ['PATH']}",
            "NPM_CONFIG_PREFIX": f"{home}/npm",
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this name backwards: no isolation
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }

    def adapted(self, text: str) -> str:
        for port, free in self._ports.items():
            text = text.replace(port, free)
        text = text.replace(SECOND_DIR, f"{self._runtime_dir}/b")
        for name in (KEY_FILE, *TLS_FILES):
            text = text.replace(name, f"{self._runtime_dir}/{name}")
        return text

    def types(self, command: str, cwd: Path = ROOT) -> str:
        """Runs a command to its end; returns what it prints."""
        done = subprocess.run(
            ["bash", "-c", self.adapted(command)], cwd=cwd, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        assert done.returncode == 0, f"{command}:\n{done.stdout}"
        return done.stdout

    def starts(self, command: str, cwd: Path = ROOT) -> Program:
        return self.launches(["bash", "-c", "exec " + self.adapted(command)], cwd)

    def starts_in_terminal(self, command: str) -> Program:
        """For what speaks differently to a terminal."""
        return self.launches(["script", "-qefc", self.adapted(command), "/dev/null"])

    def launches(self, words: list[str], cwd: Path = ROOT) -> Program:
        self._programs.append(Program(words, self.environment, cwd))
        return self._programs[-1]

    def starts_relay(self, command: str, port: str = "8642") -> Program:
        program = self.starts(command)
        ready = json.loads(program.line_with('"ready":true'))
        assert str(ready["port"]) == self._ports[port]
        return program

    def leaves(self) -> None:
        with contextlib.ExitStack() as ends:  # each is stopped, also where another one does not end
            ends.callback(shutil.rmtree, self._runtime_dir, ignore_errors=True)
            for program in self._programs:
                ends.callback(program.stop)
