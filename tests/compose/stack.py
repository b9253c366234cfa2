"""The services of docker-compose.yml, driven as a user drives them."""

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
IMAGES = {"relay": "syncrelay", "backend": "syncrelay-example-backend"}


def compose_command() -> list[str]:
    """`docker compose` where it is there, else Debian's docker-compose 1.29."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True)
    if plugin.returncode == 0:
        return ["docker", "compose"]
    assert shutil.which("docker-compose"), "neither `docker compose` nor docker-compose is there"
    return ["docker-compose"]


class Stack:
    """`run` executes a command and returns what it prints."""

    def __init__(self, run, project: str) -> None:
        self._run = run
        self._compose = [*compose_command(), "--project-directory", str(ROOT),
                         "--file", str(ROOT / "docker-compose.yml"), "--project-name", project]

    def compose(self, *arguments: str) -> str:
        return self._run(*self._compose, *arguments)

    def inspect(self, service: str, template: str) -> str:
        container = self.compose("ps", "-q", service).strip()
        return self._run("docker", "inspect", "--format", template, container).strip()

    def image(self, template: str, name: str) -> str:
        return self._run("docker", "image", "inspect", "--format", template, name).strip()

    def kill(self, service: str) -> None:
        """Kills its process as a crash would; `docker kill` would tell the engine not to restart it."""
        before = self.inspect(service, "{{.RestartCount}}")
        pid = int(self.inspect(service, "{{.State.Pid}}"))
        subprocess.run(["kill", "-9", str(pid)], check=True)
        wait_until(lambda: self.inspect(service, "{{.RestartCount}}") != before,
                   f"the engine has restarted {service}", 30)

    def wait_until_served(self) -> None:
        wait_until(lambda: answers(f"{RELAY}/health") and answers(f"{BACKEND}/tracks"),
                   "relay and backend answer", 60)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def post(path: str, body: object) -> dict:
    request = urllib.request.Request(
        BACKEND + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.load(reply)
