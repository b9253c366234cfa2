"""Seeds that cover every way to start the relay and every fault; about a minute together on two cores."""

import pytest

from commands import CHANNELS, COUNTED, command, event_of, increment_in, inner, is_doomed, parts
from people import PLACES, TABS, WILL_KINDS, Will
from plan import BACKENDS, DATA_MODES, FOLLOWED, Plan
from trial import Trial

SEEDS = (6, 12, 19, 27, 36)


@pytest.mark.parametrize("seed", SEEDS)
def test_everybody_converges_on_the_model(seed):
    trial = Trial(seed)
    found, events = trial.run()
    assert not found, "\n".join([*found[:10], f"replay: {trial.replay()}", str(trial.plan)])
    assert events > 0


def test_the_seeds_cover_every_mode_and_every_fault():
    plans = [Plan.from_seed(seed, crash_points=True, clock_jumps=True) for seed in SEEDS]
    assert {plan.data_mode for plan in plans} == set(DATA_MODES)
    assert {plan.small_window for plan in plans} == {plan.power for plan in plans} == {True, False}
    assert {fault.kind for plan in plans for fault in plan.faults} == {
        "kill relay", "stop relay", "crash relay", "freeze relay", "kill backend", "kill worker", "drop client", "jump clock",
        "cut link", "reset link", "stall link", "resume link", "abandon link", "delay link"}
    assert {plan.lists for plan in plans} == {True, False}
    points = {f.target.split(":")[0] for plan in plans for f in plan.faults if f.kind == "crash relay"}
    assert points == {"before_commit", "after_commit", "before_answer"}


def test_the_seeds_cover_clients_of_few_and_of_many_channels():
    counts = {len(channels) for seed in SEEDS for channels in Plan.from_seed(seed).channels}
    assert min(counts) == min(FOLLOWED) and max(counts) >= max(FOLLOWED) - 1 and len(counts) > 5


def test_a_backend_sends_every_kind_of_command_everywhere():
    made = [command(SEEDS[0], name, n, style) for name, style in BACKENDS.items() for n in range(300)]
    single = [part for each in made for part in parts(each)]
    assert {each["op"] for each in made} >= {"batch", "broadcast", "set", "merge", "delete", "drop"}
    assert {channel for channel, _ in single} == set(CHANNELS)
    assert {increment_in(each).get("channel", "") for each in made if increment_in(each)} == set(COUNTED)
    assert any(is_doomed(each) for each in made)
    assert {part["op"] for _, part in single if "ttl" in part} == {"set", "merge", "broadcast"}
    assert any("channels" in part for each in made for part in inner(each))
    assert any(event_of(channel, part) is None for channel, part in single)


def test_a_notary_says_every_kind_of_will_everywhere():
    made = [Will(SEEDS[0], number) for number in range(500)]
    assert {(will.channel, will.kind) for will in made} == {(place, kind) for place in PLACES for kind in WILL_KINDS}
    assert {will.id for will in made} == set(TABS)


def test_a_seed_always_makes_the_same_plan():
    assert Plan.from_seed(5) == Plan.from_seed(5) != Plan.from_seed(6)
