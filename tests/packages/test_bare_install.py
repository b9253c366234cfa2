"""The wheel and the Debian package on a Debian that has nothing else: installed, used, removed.

In a root of its own, which is made of the same archive as that of tests/bare. No service manager runs there: what the unit
would do is done by hand, as its user.
"""

import json
import os
import shutil
import subprocess

import pytest

from bare_root import BARE
from conftest import DIST, VERSION

ROOT_NAME = {"SYNCRELAY_BARE_ROOT": "packages"}
LAST_CHARACTERS = 6000
# As systemd would make them.
SERVICE = """
set -e
install -d -o syncrelay -g syncrelay -m 750 /run/syncrelay
install -d -o syncrelay -g syncrelay -m 700 /var/lib/syncrelay
cd /
setpriv --reuid syncrelay --regid syncrelay --init-groups \\
    $(sed -n 's/^ExecStart=//p' /lib/systemd/system/syncrelay.service) --port 0 --parent $$ >/tmp/service-ready &
relay=$!
until [ -s /tmp/service-ready ]; do kill -0 $relay; sleep 0.05; done
cat /tmp/service-ready
syncrelay --config /etc/syncrelay/syncrelay.toml set radio '{"track": 1}'
syncrelay --config /etc/syncrelay/syncrelay.toml state radio
stat -c '%U:%G %a' /run/syncrelay/control.sock
kill -TERM $relay
wait $relay
"""
USE = """
import syncrelay, syncrelay.testing
with syncrelay.testing.relay() as running:
    with syncrelay.Relay(running.endpoint) as relay:
        print(relay.set("radio", 1, confirm=True).seq)
"""


class Root:
    def __init__(self, environment):
        self._environment = environment

    def call(self, *words):
        return subprocess.run([BARE, *words], env=self._environment, stdin=subprocess.DEVNULL, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, script, code=0):
        """By the shell there; what it says."""
        done = self.call("enter", "/", "sh", "-c", script)
        assert done.returncode == code, f"{script}\n{done.stdout[-LAST_CHARACTERS:]}"
        return done.stdout

    def installs(self, *names):
        self.run("export DEBIAN_FRONTEND=noninteractive; apt-get update -qq; "
                 f"apt-get install -y -qq --no-install-recommends {' '.join(names)}")


@pytest.fixture(scope="module")
def root():
    environment = {**os.environ, **ROOT_NAME}
    impossible = subprocess.run([BARE, "possible"], capture_output=True, text=True)
    if impossible.returncode != 0:
        pytest.skip(impossible.stdout.strip())
    root = Root(environment)
    made = root.call("make")
    assert made.returncode == 0, made.stdout[-LAST_CHARACTERS:]
    yield root
    root.call("remove")


@pytest.fixture(scope="module")
def with_wheel(root):
    """pip can reach no index there, so pyzmq is Debian's."""
    root.installs("python3-venv")
    root.run("python3 -m venv --system-site-packages /opt/venv && /opt/venv/bin/pip install --no-index --no-deps "
             f"--find-links '{DIST}' syncrelay")
    return root


def test_the_program_of_the_wheel_runs_where_no_library_of_its_is(with_wheel):
    assert with_wheel.run("/opt/venv/bin/syncrelay --version").strip() == f"syncrelay {VERSION}"
    libraries = with_wheel.run("ldd /opt/venv/bin/syncrelay")
    assert "not found" not in libraries and "libzmq" not in libraries and "libwebsockets" not in libraries
    said = with_wheel.run("set -e; PATH=/opt/venv/bin:$PATH; "
                          "syncrelay serve --port 0 --data /tmp/data >/tmp/wheel-ready 2>/dev/null & relay=$!; "
                          "until [ -s /tmp/wheel-ready ]; do kill -0 $relay; sleep 0.05; done; "
                          "syncrelay set radio 17; syncrelay state radio; kill $relay; wait $relay")
    assert said.split()[-1] == "17"


def test_the_client_of_the_wheel_starts_it_for_tests(with_wheel):
    with_wheel.installs("python3-zmq")
    assert with_wheel.run(f"/opt/venv/bin/python -c '{USE}'").strip() == "1"
    assert with_wheel.run("/opt/venv/bin/python -m syncrelay --version").strip() == f"syncrelay {VERSION}"


@pytest.fixture(scope="module")
def with_deb(with_wheel, deb):
    """After the wheel, which is to find none of the libraries that this brings."""
    with_wheel.run("apt-get update -qq")
    with_wheel.run(f"cd '{deb.parent.parent}' && export DEBIAN_FRONTEND=noninteractive && "
                   "apt-get install -y ./dist/syncrelay_*.deb")
    return with_wheel


def test_the_debian_package_makes_its_user_and_its_configuration(with_deb):
    user = with_deb.run("getent passwd syncrelay").strip().split(":")
    assert user[5:] == ["/var/lib/syncrelay", "/usr/sbin/nologin"]
    assert with_deb.run("id -gn syncrelay").strip() == "syncrelay"
    assert with_deb.run("syncrelay --version").strip() == f"syncrelay {VERSION}"
    assert "# /etc/syncrelay/syncrelay.toml" in with_deb.run("syncrelay --config /etc/syncrelay/syncrelay.toml --print-config")


def test_the_service_runs_as_its_user_and_is_asked_by_its_configuration(with_deb):
    said = with_deb.run(SERVICE)
    ready = json.loads(next(line for line in said.splitlines() if line.startswith('{"ready"')))
    assert ready["commands"] == ["ipc:///run/syncrelay/commands.sock"]
    assert '{"track": 1}' in said and "syncrelay:syncrelay 660" in said
    assert with_deb.run("ls /var/lib/syncrelay").split()


def test_a_change_of_the_configuration_outlives_a_new_installation(with_deb, deb):
    with_deb.run("sed -i 's/^#port = .*/port = 9000/' /etc/syncrelay/syncrelay.toml")
    with_deb.run(f"DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold -i '{deb}'")
    assert "port = 9000  # /etc/syncrelay" in with_deb.run("syncrelay --config /etc/syncrelay/syncrelay.toml --print-config")


def test_removed_it_leaves_configuration_and_data_and_purged_nothing(with_deb):
    with_deb.run("dpkg --remove syncrelay")
    with_deb.run("test -e /etc/syncrelay/syncrelay.toml && test -d /var/lib/syncrelay && ! test -e /usr/bin/syncrelay")
    with_deb.run("dpkg --purge syncrelay")
    left = with_deb.run("ls -d /etc/syncrelay /var/lib/syncrelay /usr/share/doc/syncrelay /lib/systemd/system/syncrelay* "
                        "2>/dev/null || true")
    assert left == ""


def test_no_trace_of_the_root_stays_mounted(with_deb):
    assert shutil.which("findmnt") is None or "bare/packages" not in subprocess.run(
        ["findmnt", "-rn"], capture_output=True, text=True).stdout
