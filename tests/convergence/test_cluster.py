"""Seeds of three relays that share one Redis, one of each mood; about a minute together on two cores."""

import os
import shutil

import pytest

from cluster_plan import ANY, ENDS, MOODS, ClusterPlan
from trial import ClusterTrial

SEEDS = (0, 1, 2)


# The relay with sanitizers and crash points is too slow for plans that count in seconds: part e2e of scripts/test plays them
# with the plain one, and scripts/soak cluster for long.
@pytest.mark.skipif("SYNCRELAY_CRASH_BINARY" in os.environ, reason="plays the plain relay only")
@pytest.mark.skipif(not shutil.which("redis-server"), reason="there is no redis-server")
@pytest.mark.parametrize("seed", SEEDS)
def test_three_relays_and_their_clients_converge_on_the_model(seed):
    trial = ClusterTrial(seed)
    found, events = trial.run()
    assert not found, "\n".join([*found[:10], f"replay: {trial.replay()}", str(trial.plan)])
    assert events > 0


def test_many_seeds_have_every_fault():
    plans = [ClusterPlan.from_seed(seed) for seed in range(60)]
    assert {fault.kind for plan in plans for fault in plan.faults} == {*ANY, *ENDS, "part masters"}
    assert {plan.mood for plan in plans} == {ClusterPlan.from_seed(seed).mood for seed in SEEDS} == set(MOODS)


def test_a_plan_that_loses_nothing_has_one_master_at_a_time():
    for plan in map(ClusterPlan.from_seed, range(60)):
        kinds = {fault.kind for fault in plan.faults}
        assert plan.loses or "part masters" not in kinds
        assert plan.forgets or not kinds & set(ENDS)
