"""A Debian in a folder that has the packages of its base system, and a clone of this checkout."""

import subprocess
from contextlib import contextmanager
from pathlib import Path

BARE = Path(__file__).resolve().parents[2] / "scripts/bare"
CLONE = "/srv/syncrelay"
LAST_CHARACTERS = 6000


class BareRoot:
    def make(self) -> None:
        done = subprocess.run([BARE, "make"], stdin=subprocess.DEVNULL, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout[-LAST_CHARACTERS:]

    def run(self, *command: str) -> str:
        """Runs it in the clone; what it says. The end of that is shown when it fails."""
        done = subprocess.run([BARE, "enter", CLONE, *command], stdin=subprocess.DEVNULL, text=True,
                              errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout[-LAST_CHARACTERS:]
        return done.stdout

    @contextmanager
    def started(self, log: Path, *command: str):
        """Runs it until the end of the block. Its standard error goes to the log."""
        with log.open("wb") as errors:
            process = subprocess.Popen([BARE, "enter", CLONE, *command], stdin=subprocess.DEVNULL, text=True,
                                       stdout=subprocess.PIPE, stderr=errors)
        try:
            yield process
        finally:
            process.kill()  # and with it all that it has started: they have a process namespace
            process.communicate(timeout=30)
