"""The image by itself, as `docker run` starts it."""

import json
import time

import pytest

from deadline import wait_until

IMAGE = "syncrelay"
BASE = "debian:bookworm-slim"
MOST_BYTES = 30_000_000  # above those of its base
AT_ONCE = 5  # seconds; an engine kills after 10
SOCKETS = "/run/syncrelay"
# What the page of docs/install.md gives it: nothing but a place for its sockets.
LOCKED = ["--read-only", "--volume", SOCKETS, "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]


class Container:
    def __init__(self, run, *options):
        self._run = run
        self.name = run("docker", "run", "--detach", *options, IMAGE).split()[-1]

    def inspect(self, template):
        return self._run("docker", "inspect", "--format", template, self.name).strip()

    def execute(self, *command):
        return self._run("docker", "exec", self.name, *command)

    def stop(self):
        self._run("docker", "stop", self.name)

    def remove(self):
        self._run("docker", "rm", "--force", "--volumes", self.name)


@pytest.fixture(scope="module")
def locked(run_there):
    """Read-only, without capabilities; until its own health check has passed."""
    container = Container(run_there, *LOCKED)
    try:
        wait_until(lambda: container.inspect("{{.State.Health.Status}}") == "healthy", "it is healthy", 30)
        yield container
    finally:
        container.remove()


@pytest.fixture(scope="module")
def about(run_there):
    [about] = json.loads(run_there("docker", "image", "inspect", IMAGE))
    return about


def test_it_adds_little_to_its_base(run_there, about):
    [base] = json.loads(run_there("docker", "image", "inspect", BASE))
    assert 0 < about["Size"] - base["Size"] < MOST_BYTES


def test_it_says_what_it_is_and_how_it_is_asked(about):
    config = about["Config"]
    labels = {name.removeprefix("org.opencontainers.image."): said for name, said in config["Labels"].items()}
    assert {"title", "description", "licenses", "version", "revision", "created", "base.name"} <= set(labels)
    assert labels["title"] == "syncrelay" and labels["licenses"] == "MIT"
    assert config["Entrypoint"] == ["syncrelay"] and config["Cmd"] == ["serve"]
    assert config["User"] == "10001:10001" and "8642/tcp" in config["ExposedPorts"]
    assert config["Healthcheck"]["Test"] == ["CMD", "syncrelay", "healthcheck"]


def test_it_runs_read_only_as_its_own_user_without_any_right(locked):
    assert locked.execute("id", "-u").strip() == "10001"
    status = locked.execute("cat", "/proc/1/status")
    assert "CapEff:\t0000000000000000" in status and "NoNewPrivs:\t1" in status
    assert locked.execute("sh", "-c", "touch /usr/bin/x 2>&1 || true").strip().endswith("Read-only file system")


def test_commands_are_typed_in_it(locked):
    locked.execute("syncrelay", "set", "radio", '{"track": 1}')
    assert json.loads(locked.execute("syncrelay", "state", "radio")) == {"track": 1}


def test_nothing_that_builds_it_is_in_it(locked):
    tools = "for name in g++ cc meson ninja make python3 git; do command -v $name || true; done"
    assert locked.execute("sh", "-c", tools) == ""
    assert locked.execute("sh", "-c", "ls /src /build /tmp /var/lib/apt/lists 2>/dev/null | grep -v : || true").strip() == ""


def test_it_lists_what_it_is_made_of(locked):
    listed = json.loads(locked.execute("cat", "/usr/share/syncrelay/sbom.spdx.json"))
    assert listed["spdxVersion"] == "SPDX-2.3" and len({package["SPDXID"] for package in listed["packages"]}) > 80
    names = {package["name"]: package["versionInfo"] for package in listed["packages"]}
    assert names["syncrelay"] == locked.execute("syncrelay", "--version").split()[-1]
    known = locked.execute("dpkg-query", "-W", "-f", "${Package} ${Version}\n").split("\n")
    assert {f"{name} {version}" for name, version in names.items() if name != "syncrelay"} == set(filter(None, known))
    assert {"libc6", "libzmq5", "libssl3", "libwebsockets17"} <= set(names)


def test_stopped_it_ends_at_once_and_well(run_there):
    """Its first process is the relay, which takes the signal itself."""
    container = Container(run_there, *LOCKED)
    try:
        wait_until(lambda: container.inspect("{{.State.Health.Status}}") == "healthy", "it is healthy", 30)
        before = time.monotonic()
        container.stop()
        assert time.monotonic() - before < AT_ONCE
        assert container.inspect("{{.State.ExitCode}} {{.State.OOMKilled}}") == "0 false"
    finally:
        container.remove()
