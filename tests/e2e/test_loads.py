"""The loads of tests/bench/people.py and cluster.py in a small way: what they check holds."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from relay_process import binary

BENCH = pathlib.Path(__file__).resolve().parents[1] / "bench"


def run(script, *arguments):
    """The figures; fails when a promise was broken."""
    done = subprocess.run([sys.executable, str(BENCH / script), *arguments], env={**os.environ, "SYNCRELAY_BINARY": binary()},
                          capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("more", [(), ("--data",)])
def test_members_that_flap_are_what_a_client_makes_of_the_events(more):
    figures = run("people.py", "flap", "--members", "100", "--seconds", "2", "--rate", "50", *more)
    assert figures["events_per_second"] > 0


@pytest.mark.parametrize("more", [(), ("--data",)])
def test_what_clients_say_to_two_workers_is_acknowledged_and_comes(more):
    figures = run("people.py", "say", "--clients", "20", "--seconds", "2", *more)
    assert figures["said"] > 0 and figures["lost"] == figures["refused"] == 0


@pytest.mark.skipif(not shutil.which("redis-server"), reason="there is no redis-server")
def test_a_relay_that_comes_while_many_commands_do_is_soon_where_the_others_are():
    figures = run("cluster.py", "join", "--rate", "1000", "--seconds", "2")["join"]
    assert figures["entries_behind"] > 0 and figures["ready_seconds"] <= figures["level_seconds"] < 20
