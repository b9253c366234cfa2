"""What examples/monitoring holds, read as Prometheus and Grafana read it."""

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/monitoring"
RULE_FILES = sorted(EXAMPLE.glob("rules/*.yml"))
DASHBOARDS = sorted(EXAMPLE.glob("grafana/dashboards/*.json"))

SELECTOR = re.compile(r"(?<![\w:])(syncrelay_\w+)(?![\w:])(?:\{([^}]*)\})?")
RECORDED = re.compile(r"\w+:syncrelay_\w+:\w+")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
GROUPED = re.compile(r"\bby \(([^)]*)\)")
GIVEN_BY_PROMETHEUS = {"job", "instance"}


def rules():
    files = [yaml.safe_load(path.read_text()) for path in RULE_FILES]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def alerts():
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def recorded():
    return {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}


def dashboard_expressions():
    """All queries of the dashboards, with the variables as Grafana fills them in."""
    found = []
    for path in DASHBOARDS:
        dashboard = json.loads(path.read_text())
        found += [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        found += [note["expr"] for note in dashboard["annotations"]["list"]]
        found += [f"count by ({label}) ({metric})" for metric, label in re.findall(
            r"label_values\((\w+), (\w+)\)", json.dumps(dashboard["templating"]))]
    return [text.replace("$__rate_interval", "1m").replace("$instance", ".*") for text in found]


def expressions():
    return [rule["expr"] for rule in rules()] + dashboard_expressions()


def without_suffix(metric):
    return re.sub(r"_(bucket|sum|count)$", "", metric)


def faults(expression, page):
    """What an expression asks for that neither the metrics page nor a recording rule has."""
    samples = [(f"syncrelay_{name}", labels) for name, labels, _ in page.samples()]
    known = {}
    for metric, labels in samples:
        for label, value in labels.items():
            known.setdefault(metric, {}).setdefault(label, set()).add(value)
        known.setdefault(metric, {})
    for name in set(RECORDED.findall(expression)) - set(recorded()):
        yield f"no rule records {name}"
    labels_there = set(GIVEN_BY_PROMETHEUS)
    for metric, matchers in SELECTOR.findall(expression):
        if metric not in known:
            yield f"the relay has no {metric}"
            continue
        labels_there |= set(known[metric])
        for label, _, values in MATCHER.findall(matchers):
            if label in GIVEN_BY_PROMETHEUS:
                continue
            there = known[metric].get(label, set())
            for value in values.split("|"):
                if not any(re.fullmatch(value, one) for one in there):
                    yield f'{metric} has no {label}="{value}"'
    for name in RECORDED.findall(expression):
        labels_there |= set(re.findall(r"\w+", " ".join(GROUPED.findall(recorded().get(name, "")))))
    for label in re.findall(r"\w+", " ".join(GROUPED.findall(expression))):
        if label not in labels_there:
            yield f"nothing in {expression} has the label {label}"
