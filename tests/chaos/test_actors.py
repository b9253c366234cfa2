"""Each actor does what it is there for, and by itself harms nobody."""

import pathlib
import random
import shutil
import tempfile

import pytest

import probes
from deadline import wait_until
from scenario import ACTORS, Scenario
from stage import Stage
from upgrades import attempts

DONE = {"OddUpgrades": 40, "Browsers": 60}  # steps, so that most of what these draw from has come
DONE_BY_OTHERS = 4
SECONDS = 15.0
NEWCOMER_SECONDS = 5.0
PLAIN = Scenario(seed=0, options=("--drain-timeout", "2s"), data=False, small_disk=False, open_files=None,
                 max_clients=None, small_window=False, drain_seconds=2, rounds=())


@pytest.fixture
def stage():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="syncrelay-ch-"))
    made = Stage(PLAIN, directory)
    made.start()
    yield made
    made.close()
    shutil.rmtree(directory, ignore_errors=True)


def has_acted(actor):
    """Misses count only where strangers are rightly turned away most of the time."""
    done = actor.steps - (0 if actor.name in DONE else actor.missed)
    return done > DONE.get(actor.name, DONE_BY_OTHERS)


@pytest.mark.parametrize("name", ACTORS)
def test_an_actor_acts_and_a_newcomer_gets_in_beside_it_and_after_it(stage, name):
    actor = ACTORS[name](stage, random.Random(1))
    actor.start()
    try:
        wait_until(lambda: has_acted(actor) or not actor.is_alive(), f"{name} acts", SECONDS)
        beside = probes.newcomer(stage.port)
    finally:
        actor.stop()
        wrong = actor.ended()
    assert wrong is None
    outcomes = (beside, probes.newcomer(stage.port))
    limit = probes.allowed(NEWCOMER_SECONDS, lateness=0.0)
    assert [probes.verdict(outcome, limit) for outcome in outcomes] == [None, None]


def test_every_kind_of_upgrade_comes_and_a_seed_always_makes_the_same():
    """But for the masks of frames, which are never the same."""
    first, second = attempts(3), attempts(3)
    several = [next(first) for _ in range(300)]
    heads = [attempt.pieces[0][:30] for attempt in several]
    assert heads == [next(second).pieces[0][:30] for _ in range(300)]
    assert any(b"h2c" in attempt.pieces[0] for attempt in several) and any(head.startswith(b"PRI ") for head in heads)
    assert any(attempt.half_close for attempt in several) and any(attempt.pause for attempt in several)
