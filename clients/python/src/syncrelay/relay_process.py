"""A relay of its own process, which ends with this one."""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Mapping

from .binary import find_binary
from .errors import RelayNotStarted

Option = object  # str, number, path, bool, None, or several of them


def run(*, start_timeout: float = 30.0, **options: Option) -> RelayProcess:
    """Starts a relay beside this process, for development, and returns when it takes clients.

    Its options are those of ``syncrelay serve``: ``run(port=9000, open_channels=["room:*"], anonymous_identity=True)`` is
    ``--port 9000 --open-channels room:* --anonymous-identity``; None leaves one out. The environment and files count as
    ever, and its log goes to standard error.

    It ends with ``stop()``, with the block that it is the context of, when this process exits, and within about a second
    when this process is killed. Raises RelayNotStarted, with what it says.
    """
    environment = {name: value for name, value in os.environ.items() if name != "SYNCRELAY_BINARY"}
    return RelayProcess(arguments(options), environment, None, start_timeout)


def arguments(options: Mapping[str, Option]) -> list[str]:
    """``{"log_bytes": "1MiB", "data": None}`` as it stands on the command line: ``["--log-bytes=1MiB"]``."""
    words = []
    for name, value in options.items():
        values = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
        words += [f"--{name.replace('_', '-')}={_text(one)}" for one in values if one is not None]
    return words


def _text(value: Option) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class RelayProcess:
    """A relay that runs. Thread-safe but for ``stop``. ``run`` and ``syncrelay.testing.relay`` make them."""

    def __init__(self, words: list[str], environment: Mapping[str, str], log: Path | None, start_timeout: float) -> None:
        self._log = log
        self._owner = os.getpid()
        command = [str(find_binary()), "serve", f"--parent={self._owner}", *words]
        errors = None if log is None else log.open("wb")
        try:
            # A session of its own: Ctrl-C in a terminal is for this process, which then ends it.
            self._process = subprocess.Popen(
                command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise RelayNotStarted(f"{command[0]} cannot be started: {error.strerror}") from error
        finally:
            if errors is not None:
                errors.close()
        atexit.register(self.stop)
        self._ready = self._wait_until_ready(time.monotonic() + start_timeout)

    @property
    def url(self) -> str:
        """Where clients connect: ``ws://127.0.0.1:8642/ws/sync``."""
        return f"{'wss' if self._ready['tls'] else 'ws'}://127.0.0.1:{self.port}/ws/sync"

    @property
    def port(self) -> int:
        """For clients."""
        return int(self._ready["port"])

    @property
    def admin_port(self) -> int | None:
        """Of ``/metrics``; None without ``admin``."""
        admin = self._ready["admin"]
        return None if admin is None else int(admin)

    @property
    def endpoint(self) -> str:
        """Where it takes commands: ``Relay(relay.endpoint, control=relay.control)``."""
        return str(self._ready["commands"][0])

    @property
    def control(self) -> str:
        """Where it answers."""
        return str(self._ready["control"][0])

    @property
    def environment(self) -> dict[str, str]:
        """Variables under which a ``Relay()`` without arguments, and the commands of the shell, find it."""
        return {
            "SYNCRELAY_COMMANDS": self.endpoint,
            "SYNCRELAY_CONTROL": self.control,
            "SYNCRELAY_PORT": str(self.port),
        }

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """What it has logged so far; empty for one of ``run``, whose log goes to standard error."""
        return "" if self._log is None else self._log.read_text(errors="replace")

    def stop(self, timeout: float = 10.0) -> int:
        """Ends it as SIGTERM does: clients are closed with 1001. Kills it after ``timeout`` seconds. Its exit code; once
        more does nothing more."""
        if os.getpid() != self._owner:
            return 0  # a copy of this process, whose relay it is not
        atexit.unregister(self.stop)
        if self._process.poll() is None:
            self._process.terminate()
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._output.close()
        return code

    def __enter__(self) -> RelayProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _output(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def _wait_until_ready(self, deadline: float) -> dict[str, Any]:
        """Its first line; it writes no other."""
        line = b""
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([self._output], [], [], max(0.0, deadline - time.monotonic()))
            some = os.read(self._output.fileno(), 65536) if readable else b""
            if not some:
                self._give_up(bool(readable))
            line += some
        ready: dict[str, Any] = json.loads(line)
        return ready

    def _give_up(self, ended: bool) -> None:
        code = self.stop(5.0 if ended else 0.0)
        why = f"has ended at once, with exit code {code}" if ended else "was not ready in time"
        raise RelayNotStarted(f"the relay {why}: {self.log.strip() or 'its log says why'}")
