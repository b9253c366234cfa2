"""A Docker engine of this test's own, for a machine that has none and cannot pull images.

Build phase: dockerd in its own mount namespace and the machine's network, so that apt works inside the
build. Run phase: dockerd in a network namespace of its own, where published ports disturb nobody. The
base image is bootstrapped from Debian's archive, and Redis and HAProxy are Debian's under the names of the images
that a user pulls. Needs root.
"""

import ctypes
import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

from deadline import wait_until

BASE_IMAGE = "debian:bookworm-slim"
STAND_INS = {"redis": "redis:7.2", "haproxy": "haproxy:2.8"}  # targets of stand_ins.Dockerfile
ROOT = Path(__file__).resolve().parents[2]
NO_FORWARDING = ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
CLONE_NEWNET = 0x40000000


def is_possible() -> bool:
    tools = ("dockerd", "docker-compose", "debootstrap", "unshare")
    return os.geteuid() == 0 and all(shutil.which(tool) for tool in tools)


class PrivateEngine:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A socket's path ends at 107 bytes: the engine's own files lie in a short place.
        self._run = Path(f"/run/syncrelay-compose-{os.getpid()}")
        self._socket = self._run / "docker.sock"
        self.environment = {
            **os.environ, "DOCKER_HOST": f"unix://{self._socket}", "DOCKER_BUILDKIT": "0",
        }

    def build(self, root: Path, images: dict[str, str]) -> None:
        """Builds the Dockerfile's targets: image name by target; and what cannot be pulled."""
        with self._engine(["--bridge=none"], own_network=False):
            self._make_base()
            for target, image in images.items():
                self._build(root / "Dockerfile", target, image)
            for target, image in STAND_INS.items():
                self._build(Path(__file__).with_name("stand_ins.Dockerfile"), target, image)

    @contextmanager
    def running(self):
        """The engine in its own network, which this thread is in as well until the end."""
        with self._engine([], own_network=True) as process, inside_network_of(process.pid):
            yield

    def run(self, *command: str) -> str:
        done = subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-4000:]}"
        return done.stdout

    def _build(self, file: Path, target: str, image: str) -> None:
        self.run("docker", "build", "--quiet", "--network", "host", "--file", str(file), "--target", target,
                 "--tag", image, str(file.parent))

    def _make_base(self) -> None:
        if BASE_IMAGE in self.run("docker", "images", "--format", "{{.Repository}}:{{.Tag}}"):
            return
        archive = ROOT / "build/bare/base.tar"
        self.run(str(ROOT / "scripts/bare"), "base", str(archive))
        self.run("docker", "import", str(archive), BASE_IMAGE)

    @contextmanager
    def _engine(self, options: list[str], own_network: bool):
        self._run.mkdir(mode=0o700)
        daemon = ["dockerd", *NO_FORWARDING, *options, "-H", f"unix://{self._socket}",
                  "--data-root", str(self._folder / "data"), "--exec-root", str(self._run / "exec"),
                  "--pidfile", str(self._run / "pid")]
        prelude = "ip link set lo up; " if own_network else ""
        namespaces = ["-m", "-n"] if own_network else ["-m"]
        with (self._folder / "dockerd.log").open("ab") as log:
            process = subprocess.Popen(
                ["unshare", *namespaces, "sh", "-c", prelude + 'exec "$@"', "sh", *daemon],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until(lambda: self._answers(process), "dockerd answers", 30)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            shutil.rmtree(self._run, ignore_errors=True)

    def _answers(self, process: subprocess.Popen) -> bool:
        log = self._folder / "dockerd.log"
        assert process.poll() is None, f"dockerd ended:\n{log.read_text()[-4000:]}"
        return subprocess.run(["docker", "version"], env=self.environment,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


@contextmanager
def inside_network_of(pid: int):
    """Moves this thread into the network namespace of a process, and back."""
    with open("/proc/thread-self/ns/net") as own, open(f"/proc/{pid}/ns/net") as other:
        enter_network(other.fileno())
        try:
            yield
        finally:
            enter_network(own.fileno())


def enter_network(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
