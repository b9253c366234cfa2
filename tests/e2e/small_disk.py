"""A disk of a few MiB that only the processes started on it see; filling it harms nobody else."""

import contextlib
import errno
import os
import pathlib
import shutil
import subprocess

BLOCK = 4096


def unavailable():
    """Why there can be none here; None when there can."""
    if os.geteuid() != 0:
        return "mounting needs root"
    missing = [tool for tool in ("unshare", "nsenter", "mount") if not shutil.which(tool)]
    if missing:
        return f"not installed: {', '.join(missing)}"
    probe = subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True,
                           text=True, check=False)
    return f"cannot mount: {probe.stderr.strip()}" if probe.returncode else None


class SmallDisk:
    """Lies over `path` in a mount namespace that a process of its own keeps."""

    def __init__(self, path, size):
        path.mkdir(mode=0o700)
        script = f'mount -t tmpfs -o size={size},mode=0700 none "$0" && echo mounted && exec cat'
        self._keeper = subprocess.Popen(["unshare", "--mount", "sh", "-c", script, str(path)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._keeper.stdout.readline() == b"mounted\n"
        self.launcher = ("nsenter", f"--mount=/proc/{self._keeper.pid}/ns/mnt")
        self._mount_point = path
        self.seen_from_here = pathlib.Path("/proc", str(self._keeper.pid), "root", *path.parts[1:])

    @property
    def _ballast(self):
        return self.seen_from_here / "ballast"

    def fill(self):
        """Until not another block fits."""
        with self._ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                if file.write(bytes(BLOCK)) < BLOCK:
                    raise OSError(errno.ENOSPC, "full")

    def free(self):
        self._ballast.unlink()

    def make_read_only(self):
        subprocess.run([*self.launcher, "mount", "-o", "remount,ro", str(self._mount_point)], check=True)

    def close(self):
        self._keeper.stdin.close()
        self._keeper.wait()
        self._keeper.stdout.close()
