"""The relay under attack: started, frozen, killed and started again with the same options."""

import contextlib
import shutil
import time

from relay_process import RelayProcess
from small_disk import SmallDisk, unavailable

LOG_LINES = 40


class Stage:
    """Everything of it lies below `directory`. What is written down of the relay are numbers that outlive it: peers ask
    for them from their own threads."""

    def __init__(self, scenario, directory):
        self.relay = None
        self.port, self.admin_port, self.epoch = 1, 1, "0" * 16
        self.commands = self.control = None
        self._scenario, self._directory = scenario, directory
        self._logs = []
        self._disk = None
        if scenario.small_disk and not unavailable():
            self._disk = SmallDisk(directory / "data", scenario.disk_size)

    @property
    def has_disk(self):
        return self._disk is not None

    def start(self):
        limit = self._scenario.open_files
        self.relay = RelayProcess(*self._scenario.options, *self._data(), runtime_dir=self._directory / "run",
                                  open_files=(limit, limit) if limit else None,
                                  launcher=self._disk.launcher if self._disk else ())
        self.port, self.admin_port = self.relay.port, self.relay.ready["admin"]
        self.commands, self.control = self.relay.endpoint, self.relay.ready["control"][0]

    def _data(self):
        return ("--data", str(self._directory / "data")) if self._scenario.data else ()

    # Faults.

    def kill(self):
        self.relay.kill()
        self._end()

    def stop(self, seconds):
        """(exit code, seconds it took); raises when it takes longer than `seconds`."""
        start = time.monotonic()
        code = self.relay.stop(seconds)
        took = time.monotonic() - start
        self._end()
        return code, took

    def _end(self):
        """Keeps the log and fails where it holds a sanitizer's finding."""
        self._logs.append(self.relay.log())
        self.relay.dispose()

    def fill_disk(self):
        self._disk.fill()

    def free_disk(self):
        self._disk.free()

    def lose_data(self):
        """Removes what lies in the data directory, under the running relay."""
        for path in self._data_directory().iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _data_directory(self):
        return self._disk.seen_from_here if self._disk else self._directory / "data"

    # What is left.

    def log(self):
        running = [self.relay.log()] if self.relay else []
        return "\n---- started again\n".join(self._logs[-5:] + running)

    def last_lines(self):
        return "\n".join(self.log().splitlines()[-LOG_LINES:])

    def keep(self, folder):
        """Log and data, for whoever looks into a failure."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "relay.log").write_text(self.log())
        if self._scenario.data:
            with contextlib.suppress(OSError, shutil.Error):  # the relay may be writing there, or have lost it
                shutil.copytree(self._data_directory(), folder / "data", dirs_exist_ok=True,
                                ignore=shutil.ignore_patterns("ballast"))

    def close(self):
        try:
            if self.relay:
                self.relay.dispose()
        finally:
            if self._disk:
                self._disk.close()
