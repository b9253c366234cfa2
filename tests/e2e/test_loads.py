"""The loads of tests/bench/people.py in a small way: what they check holds."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from relay_process import binary

PEOPLE = pathlib.Path(__file__).resolve().parents[1] / "bench" / "people.py"


def run(*arguments):
    """The figures; fails when a promise was broken."""
    done = subprocess.run([sys.executable, str(PEOPLE), *arguments], env={**os.environ, "SYNCRELAY_BINARY": binary()},
                          capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("more", [(), ("--data",)])
def test_members_that_flap_are_what_a_client_makes_of_the_events(more):
    figures = run("flap", "--members", "100", "--seconds", "2", "--rate", "50", *more)
    assert figures["events_per_second"] > 0


@pytest.mark.parametrize("more", [(), ("--data",)])
def test_what_clients_say_to_two_workers_is_acknowledged_and_comes(more):
    figures = run("say", "--clients", "20", "--seconds", "2", *more)
    assert figures["said"] > 0 and figures["lost"] == figures["refused"] == 0
