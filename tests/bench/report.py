"""Medians, ratios and the printed table."""

import statistics
from dataclasses import dataclass, field

from scenarios import Kind, Metric, Scenario, Target
from servers import CLUSTER, CLUSTER_OF_THREE, DURABLE

Figures = dict[str, float]
YARDSTICK = "yardstick"
CLUSTERS = (Kind.cluster_at_least, Kind.cluster_ratio_at_least, Kind.cluster_adds_at_most)


@dataclass
class Outcome:
    """What one server did in one scenario."""

    rounds: list[Figures] = field(default_factory=list)
    error: str = ""

    def median(self, metric: str) -> float | None:
        values = [figures[metric] for figures in self.rounds if metric in figures]
        return statistics.median(values) if values else None


@dataclass
class Result:
    scenario: Scenario
    outcomes: dict[str, Outcome]


@dataclass(frozen=True)
class Verdict:
    target: Target
    value: float
    reached: bool


def judge(result: Result, before: dict[str, Result]) -> list[Verdict]:
    """The relay's figures against its targets, as far as there is something to compare with."""
    verdicts = []
    for target in result.scenario.targets:
        value = _value(result, target, before)
        if value is not None:
            at_least = target.kind.value.endswith("at least")
            reached = value >= target.limit if at_least else value <= target.limit
            verdicts.append(Verdict(target, value, reached))
    return verdicts


def _value(result: Result, target: Target, before: dict[str, Result]) -> float | None:
    own = _median(result, "relay", target.metric)
    if target.kind in CLUSTERS:
        return _value_of_cluster(_worst_cluster(result, target), own, target.kind)
    if target.kind in (Kind.at_least, Kind.at_most):
        return own
    if target.kind is Kind.durable_at_most:
        base, own = own, _median(result, DURABLE, target.metric)
    elif target.kind is Kind.growth_at_most:
        base = _median(before.get(target.base), "relay", target.metric)
    else:
        base = _median(result, YARDSTICK, target.metric)
    return own / base if own is not None and base else None


def _value_of_cluster(cluster: float | None, alone: float | None, kind: Kind) -> float | None:
    if cluster is None or kind is Kind.cluster_at_least:
        return cluster
    if not alone:
        return None
    return cluster / alone if kind is Kind.cluster_ratio_at_least else cluster - alone


def _worst_cluster(result: Result, target: Target) -> float | None:
    # Others would have machines of their own: beside the first one's clients they take its CPU.
    names = (CLUSTER,) if target.kind is Kind.cluster_ratio_at_least else (CLUSTER, CLUSTER_OF_THREE)
    values = [_median(result, name, target.metric) for name in names]
    known = [value for value in values if value is not None]
    if not known:
        return None
    return max(known) if target.kind is Kind.cluster_adds_at_most else min(known)


def _median(result: Result | None, server: str, metric: str) -> float | None:
    if result is None or server not in result.outcomes:
        return None
    return result.outcomes[server].median(metric)


def print_result(result: Result, verdicts: list[Verdict]) -> None:
    metrics = result.scenario.metrics
    rows = [["", *(metric.title for metric in metrics)]]
    for name, outcome in result.outcomes.items():
        rows.append([name, *(_cell(outcome, metric) for metric in metrics)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print(f"\n{result.scenario.describe()}")
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  " + "  ".join([row[0].ljust(widths[0]), *cells]))
    for name, outcome in result.outcomes.items():
        if outcome.error:
            print(f"  {name} failed: {outcome.error}")
    for verdict in verdicts:
        print("  " + describe(verdict, metrics))


def describe(verdict: Verdict, metrics: tuple[Metric, ...]) -> str:
    target = verdict.target
    metric = next(metric for metric in metrics if metric.key == target.metric)
    absolute = target.kind in (
        Kind.at_least, Kind.at_most, Kind.cluster_at_least, Kind.cluster_adds_at_most
    )
    value = f"{verdict.value:,.{metric.digits if absolute else 2}f}"
    word = "reached" if verdict.reached else "MISSED"
    return f"{word}: {metric.title} {value} ({target.kind.value} {target.limit:,g})"


def _cell(outcome: Outcome, metric: Metric) -> str:
    median = outcome.median(metric.key)
    return "-" if median is None else f"{median * metric.scale:,.{metric.digits}f}"


def as_json(result: Result, verdicts: list[Verdict]) -> dict[str, object]:
    scenario = result.scenario
    servers = {
        name: {
            "median": {metric.key: outcome.median(metric.key) for metric in scenario.metrics},
            "rounds": outcome.rounds,
            "error": outcome.error or None,
        }
        for name, outcome in result.outcomes.items()
    }
    targets = [
        {
            "metric": verdict.target.metric,
            "kind": verdict.target.kind.name,
            "limit": verdict.target.limit,
            "value": verdict.value,
            "reached": verdict.reached,
        }
        for verdict in verdicts
    ]
    return {
        "clients": scenario.clients,
        "events": scenario.events,
        "data_bytes": scenario.data_bytes,
        "servers": servers,
        "targets": targets,
    }
