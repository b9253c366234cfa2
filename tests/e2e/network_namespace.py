"""A network of its own, in which packets can be dropped without either end being told."""

import contextlib
import ctypes
import os
import shutil
import subprocess

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
RULES = """
table inet faults {
  chain input { type filter hook input priority 0; tcp sport %(port)d drop; tcp dport %(port)d drop; }
}
"""


def unavailable():
    """Why there can be none here; None when there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [tool for tool in ("ip", "nft", "unshare") if not shutil.which(tool)]
    if missing:
        return f"not installed: {', '.join(missing)}"
    script = "ip link set lo up && nft add table inet probe"
    probe = subprocess.run(["unshare", "--net", "sh", "-c", script], capture_output=True, text=True, check=False)
    return f"no network namespace: {probe.stderr.strip()}" if probe.returncode else None


def _check(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class NetworkNamespace:
    """Sockets and processes made while entered belong to it for good. It ends with the last of them."""

    def __init__(self):
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            _check(LIBC.unshare(CLONE_NEWNET))
            self._handle = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        finally:
            _check(LIBC.setns(home, CLONE_NEWNET))
            os.close(home)

    @contextlib.contextmanager
    def entered(self):
        """For this thread; nothing may be awaited inside."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _check(LIBC.setns(self._handle, CLONE_NEWNET))
        try:
            yield
        finally:
            _check(LIBC.setns(home, CLONE_NEWNET))
            os.close(home)

    def drop_port(self, port):
        """From now on no packet from or to this TCP port arrives."""
        with self.entered():
            subprocess.run(["nft", "-f", "-"], input=RULES % {"port": port}, text=True, check=True)

    def close(self):
        os.close(self._handle)
