"""Prometheus as examples/monitoring configures it, but for the address of the relay and its patience."""

import json
import re
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request

from deadline import wait_until
from monitoring import EXAMPLE


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Prometheus:
    """Scrapes and evaluates every second, from when this is made until stop()."""

    def __init__(self, directory, admin_port):
        shutil.copytree(EXAMPLE / "rules", directory / "rules")
        text = (EXAMPLE / "prometheus.yml").read_text()
        assert "relay:8643" in text and "/run/secrets/admin_token" in text
        (directory / "token").write_text("a relay on loopback asks for none\n")
        text = text.replace("/run/secrets/admin_token", "token")
        text = text.replace('"relay:8643"', f'"127.0.0.1:{admin_port}"')
        (directory / "prometheus.yml").write_text(re.sub(r"(_interval): 15s", r"\1: 1s", text))
        self._url = f"http://127.0.0.1:{free_port()}"
        self._log = (directory / "log").open("w+")
        self._process = subprocess.Popen(
            ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
             f"--web.listen-address={self._url.removeprefix('http://')}"],
            cwd=directory, stdout=self._log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        wait_until(self._is_ready, "Prometheus is ready", 30)

    def query(self, expression):
        """What it answers: a list of (labels, value)."""
        found = self.ask("query", query=expression)["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def ask(self, what, **arguments):
        url = f"{self._url}/api/v1/{what}?{urllib.parse.urlencode(arguments)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def stop(self):
        self._process.terminate()
        self._process.wait(30)
        self._log.close()

    def _is_ready(self):
        if self._process.poll() is not None:
            self._log.seek(0)
            raise AssertionError(self._log.read())
        try:
            with urllib.request.urlopen(f"{self._url}/-/ready", timeout=10):
                return True
        except OSError:
            return False
