"""A relay's wall clock that tests may set wrong."""

import pathlib
import shutil
import struct
import subprocess

SOURCE = pathlib.Path(__file__).parent / "clock_shift.c"


class ClockShift:
    """None of it reaches the steady clock. Needs a C compiler; is_possible() says whether there is one."""

    def __init__(self, directory):
        self._file = directory / "clock_shift"
        self._library = directory / "clock_shift.so"
        self._seconds = 0
        self.jump(0)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(self._library), str(SOURCE), "-ldl"], check=True)

    @staticmethod
    def is_possible():
        return shutil.which("cc") is not None

    def environment(self):
        """What makes a process started with it live by this clock."""
        return {"LD_PRELOAD": str(self._library), "CLOCK_SHIFT_FILE": str(self._file)}

    def jump(self, seconds):
        """From now on the clock is off by so much more; also in running processes."""
        self._seconds += seconds
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("=q", self._seconds))
