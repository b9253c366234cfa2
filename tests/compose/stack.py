"""The services of a compose file, driven as a user drives them."""

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from deadline import wait_until

ROOT = Path(__file__).resolve().parents[2]
RELAY = "http://127.0.0.1:8642"
BACKEND = "http://127.0.0.1:8000"
PROXY = "http://127.0.0.1:8080"  # of the cluster
RELAYS = ("relay-a", "relay-b")
BACKENDS = ("backend-a", "backend-b")
IMAGES = {"relay": "syncrelay", "backend": "syncrelay-example-backend"}
ALONE = "docker-compose.yml"
CLUSTER = "examples/cluster/docker-compose.yml"


def compose_command() -> list[str]:
    """`docker compose` where it is there, else Debian's docker-compose 1.29."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True)
    if plugin.returncode == 0:
        return ["docker", "compose"]
    assert shutil.which("docker-compose"), "neither `docker compose` nor docker-compose is there"
    return ["docker-compose"]


class Stack:
    """`run` executes a command and returns what it prints; `file` is within the project."""

    def __init__(self, run, project: str, file: str = ALONE) -> None:
        self._run = run
        self._containers = {}  # by service; they stay the same until they are taken down
        self._compose = [*compose_command(), "--file", str(ROOT / file), "--project-name", project]

    def compose(self, *arguments: str) -> str:
        return self._run(*self._compose, *arguments)

    def inspect(self, service: str, template: str) -> str:
        if service not in self._containers:
            self._containers[service] = self.compose("ps", "-q", service).strip()
        return self._run("docker", "inspect", "--format", template, self._containers[service]).strip()

    def address(self, service: str) -> str:
        """Of its network; empty while it does not run."""
        return self.inspect(service, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")

    def kill(self, service: str) -> None:
        """Kills its process as a crash would; `docker kill` would tell the engine not to restart it."""
        before = self.inspect(service, "{{.RestartCount}}")
        pid = int(self.inspect(service, "{{.State.Pid}}"))
        subprocess.run(["kill", "-9", str(pid)], check=True)
        wait_until(lambda: self.inspect(service, "{{.RestartCount}}") != before,
                   f"the engine has restarted {service}", 30)

    def wait_until_served(self, *urls: str) -> None:
        wait_until(lambda: all(map(answers, urls or (f"{RELAY}/health", f"{BACKEND}/tracks"))), "all answer", 60)

    def wait_until_all_serve(self) -> None:
        """The cluster: each relay, each backend, and the proxy."""
        self.wait_until_served(*(f"http://{self.address(relay)}:8642/health" for relay in RELAYS),
                               *(f"http://{self.address(backend)}:8000/tracks" for backend in BACKENDS),
                               f"{PROXY}/tracks")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def post(path: str, body: object, at: str = BACKEND) -> dict:
    request = urllib.request.Request(
        at + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.load(reply)
