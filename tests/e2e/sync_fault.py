"""A disk that fails when it is told to write through."""

import os
import pathlib
import shutil
import struct
import subprocess

SOURCE = pathlib.Path(__file__).parent / "sync_fault.c"


class SyncFault:
    """Needs a C compiler; is_possible() says whether there is one."""

    def __init__(self, directory):
        self._file = directory / "sync_fault"
        self._library = directory / "sync_fault.so"
        self.fail(0)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(self._library), str(SOURCE), "-ldl"], check=True)

    @staticmethod
    def is_possible():
        return shutil.which("cc") is not None

    def environment(self):
        # A sanitized build wants its own library first, and works without.
        sanitizer = f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0".lstrip(":")
        return {"LD_PRELOAD": str(self._library), "SYNC_FAULT_FILE": str(self._file), "ASAN_OPTIONS": sanitizer}

    def fail(self, times):
        """The next `times` syncs fail; 0: none from now on."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("=q", times))

    def left(self):
        return struct.unpack("=q", self._file.read_bytes())[0]
