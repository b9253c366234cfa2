"""The real relay in a process of its own, which tests kill and start again, and a client that reads its whole log."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from pull_peer import DEADLINE

BINARY = Path(os.environ.get("SYNCRELAY_BINARY") or Path(__file__).parents[3] / "build" / "syncrelay")


class RealRelay:
    """``start`` it; ``options`` are command line options. State outlives a restart only with ``--data``."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.endpoint = f"ipc://{directory}/commands.sock"
        self.control = f"ipc://{directory}/control.sock"
        self.port = 0
        self._directory = directory
        self.options = options
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> RealRelay:
        command = [str(BINARY), "--host", "127.0.0.1", "--port", "0", *self.options]
        env = {name: value for name, value in os.environ.items() if not name.startswith("SYNCRELAY_")}
        env["SYNCRELAY_RUNTIME_DIR"] = str(self._directory)
        with open(self._directory / "relay.log", "a") as log:
            self._process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the relay ended: " + (self._directory / "relay.log").read_text()
        ready = json.loads(line)
        self.port = ready["port"]
        self.endpoint, self.control = ready["commands"][0], ready["control"][0]
        return self

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """It keeps its connections and does nothing more once this returns."""
        self._signal(signal.SIGSTOP)
        assert self._process is not None
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None:
            self.thaw()
            self._end(signal.SIGTERM)

    def log(self, epoch: str, channel: str = "") -> list[dict[str, Any]]:
        """All events since the first; fails when the relay does not hold them all, or cannot prove it."""
        return asyncio.run(self.read_log(epoch, channel))

    async def read_log(self, epoch: str, channel: str = "") -> list[dict[str, Any]]:
        import websockets

        position = f"channel={channel},{epoch},0" if channel else f"epoch={epoch}&seq=0"
        url = f"ws://127.0.0.1:{self.port}/ws/sync?{position}"
        async with websockets.connect(url, max_size=None) as client:
            first = json.loads(await asyncio.wait_for(client.recv(), DEADLINE))
            assert first["type"] == "sync:resume", first
            events = [json.loads(await asyncio.wait_for(client.recv(), DEADLINE)) for _ in range(first["data"]["to"])]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        return events

    def _signal(self, number: int) -> None:
        assert self._process is not None, "start() it first"
        self._process.send_signal(number)

    def _end(self, number: int) -> None:
        self._signal(number)
        assert self._process is not None and self._process.stdout is not None
        self._process.wait(DEADLINE)
        self._process.stdout.close()
        self._process = None
