"""What can be said of the examples without starting a proxy."""

import re
import subprocess
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples/proxies"
ADDRESSES = {"http://127.0.0.1:8642", "http://127.0.0.1:8000"}


def test_the_names_in_traefiks_files_fit_together():
    yaml = pytest.importorskip("yaml")
    static = yaml.safe_load((EXAMPLES / "traefik/traefik.yml").read_text())
    dynamic = yaml.safe_load((EXAMPLES / "traefik" / static["providers"]["file"]["filename"]).read_text())
    http = dynamic["http"]
    for router in http["routers"].values():
        assert set(router["entryPoints"]) <= set(static["entryPoints"])
        assert set(router["middlewares"]) <= set(http["middlewares"])
        assert router["service"] in http["services"]
    servers = [server["url"] for service in http["services"].values() for server in service["loadBalancer"]["servers"]]
    assert set(servers) == ADDRESSES
    assert http["routers"]["relay"]["rule"] == http["routers"]["app"]["rule"] + " && Path(`/ws/sync`)"


def test_the_command_of_the_readme_makes_a_certificate(tmp_path):
    command = re.search(r"```sh\n(openssl.*?)```", (EXAMPLES / "README.md").read_text(), re.DOTALL)[1]
    subprocess.run(["bash", "-ec", command], cwd=tmp_path, check=True, capture_output=True)
    named = set(re.findall(r"[\w-]+\.pem", "".join(path.read_text() for path in EXAMPLES.glob("*/*"))))
    assert {path.name for path in tmp_path.iterdir()} == named
