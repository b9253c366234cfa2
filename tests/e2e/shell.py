"""The command line as a shell uses it: with pipes, or on a terminal."""

import json
import os
import pty
import resource
import select
import signal
import subprocess
import threading
import time

from deadline import wait_until
from relay_process import binary, environment

SECONDS = 20.0


class Shell:
    """Runs commands that ask one relay."""

    def __init__(self, runtime_dir, port=None, program=None, user=None, **env):
        """`env` are more variables. `user`, a number, is who runs `program` in place of the tests' own user, in a group of that number alone."""
        self._env = environment(runtime_dir, {**({"SYNCRELAY_PORT": str(port)} if port else {}), **env})
        self._program = program or binary()
        self._identity = {} if user is None else {"user": user, "group": user, "extra_groups": []}

    def run(self, *arguments, stdin=""):
        """To its end, with pipes."""
        return subprocess.run([self._program, *map(str, arguments)], env=self._env, input=stdin, text=True,
                              capture_output=True, timeout=SECONDS, check=False, **self._identity)

    def run_with_files(self, files, *arguments):
        """To its end, as run(), with at most so many open files."""
        return subprocess.run([self._program, *map(str, arguments)], env=self._env, text=True, capture_output=True,
                              timeout=SECONDS, check=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)))

    def json(self, *arguments, stdin=""):
        ended = self.run(*arguments, stdin=stdin)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def start(self, *arguments):
        """Without waiting for its end."""
        return Running([binary(), *map(str, arguments)], self._env)

    def on_terminal(self, *arguments, **env):
        """To its end; returns the exit code and what the terminal shows."""
        ours, theirs = pty.openpty()
        try:
            process = subprocess.Popen([binary(), *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs,
                                       env={**self._env, "TERM": "xterm", **env})
            os.close(theirs)
            return self._read_terminal(process, ours)
        finally:
            os.close(ours)

    @staticmethod
    def _read_terminal(process, terminal):
        shown, end = b"", time.monotonic() + SECONDS
        while select.select([terminal], [], [], max(0.0, end - time.monotonic()))[0]:
            try:
                read = os.read(terminal, 65536)
            except OSError:  # the other side is closed
                return process.wait(SECONDS), shown.decode().replace("\r\n", "\n")
            shown += read
        process.kill()
        process.wait()
        raise AssertionError(f"the command goes on after {SECONDS} s, shown: {shown!r}")


class Running:
    """A command under way; its lines are read as they come."""

    def __init__(self, command, env):
        # Interrupts may be ignored in the tests' own process, as in a shell's background job.
        self._process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                         preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.pid = self._process.pid
        self.lines, self.errors = [], []
        self._readers = [threading.Thread(target=self._collect, args=pipe, daemon=True)
                         for pipe in ((self._process.stdout, self.lines), (self._process.stderr, self.errors))]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _collect(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def messages(self):
        return [json.loads(line) for line in list(self.lines)]

    def wait_for_lines(self, count):
        wait_until(lambda: len(self.lines) >= count, f"{count} lines, got {self.lines} and {self.errors}", SECONDS)
        return self.messages()

    def signal(self, number):
        os.kill(self.pid, number)

    def is_running(self):
        return self._process.poll() is None

    def wait(self):
        code = self._process.wait(SECONDS)
        for reader in self._readers:
            reader.join()
        return code

    def end(self):
        if self.is_running():
            self._process.kill()
        self.wait()
        self._process.stdout.close()
        self._process.stderr.close()


def assert_failed(ended, code, *words):
    """Nothing on standard output, and one line on standard error that holds the words."""
    assert (ended.returncode, ended.stdout) == (code, ""), ended
    [line] = ended.stderr.splitlines()
    assert line.startswith("syncrelay: ")
    assert all(word in line for word in words), line


def connections_to(path):
    """How many sockets of the kernel's list bear this path: the listener and what connected to it."""
    with open("/proc/net/unix", encoding="ascii", errors="replace") as table:
        return sum(line.rstrip().endswith(str(path)) for line in table)
