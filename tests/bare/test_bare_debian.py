"""The two commands of the README, where nothing is installed but what they install themselves.

That each part of scripts/test finds what it needs is seen elsewhere: with CI=true they go on in this root.
"""

import json
import re
import urllib.request

SECONDS = 10


def test_scripts_run_installs_builds_and_starts_a_relay(bare_root, tmp_path):
    log = tmp_path / "run.log"
    with bare_root.started(log, "scripts/run", "--port", "0") as process:
        ready = process.stdout.readline()
        assert ready, f"scripts/run ended:\n{log.read_text(errors='replace')[-6000:]}"
        with urllib.request.urlopen(f"http://127.0.0.1:{json.loads(ready)['port']}/health", timeout=SECONDS) as reply:
            assert json.load(reply)["status"] == "ok"


def test_scripts_test_installs_what_its_parts_need(bare_root):
    """One that needs few things; the packages are installed for all."""
    said = bare_root.run("scripts/test", "wraps")
    assert re.fullmatch(r"[1-9]\d* passed, 0 failed", said.splitlines()[-1]), said
