"""What must be true of the relay's counters: at any time, from one look to the next, and when all is quiet."""

import math
import re
from pathlib import Path

WRAPPED = 2.0**63
PROTOCOL = Path(__file__).resolve().parents[2] / "docs/protocol.md"

def documented(name):
    """The reasons that the contract lists for this counter: "in `name`: `reason`, `reason` (why), … ."."""
    found = re.search(rf"in `{name}`: (.*?)\.(?:\s|$)", PROTOCOL.read_text(), re.DOTALL | re.IGNORECASE)
    return set(re.findall(r"`(\w+)`", found[1]))


REASONS = {name: documented(name) for name in ("clients_closed_total", "clients_refused_total")}


def always(page):
    """At any time: no number that is none, below nothing, or so large that it must have wrapped."""
    found = [f"{name}{labels or ''} is {value}" for name, labels, value in page.samples()
             if not math.isfinite(value) or value < 0 or value >= WRAPPED]
    return found + [f"{name} has the reason {reason}, which nobody documented" for name, known in REASONS.items()
                    for reason in sorted(set(page.labels(name, "reason")) - known)]


def since(before, page):
    """Between two looks at one process: what counts up only counts up."""
    earlier = {(name, tuple(sorted(labels.items()))): value for name, labels, value in before.samples()}
    found = []
    for name, labels, value in page.samples():
        known = earlier.get((name, tuple(sorted(labels.items()))), 0)
        if page.types.get(name) == "counter" and value < known:
            found.append(f"{name}{labels or ''} went back from {known} to {value}")
    return found


def at_rest(page, clients):
    """When nobody comes or goes and `clients` are connected."""
    accepted, closed = page.value("clients_accepted_total"), page.value("clients_closed_total")
    found = []
    if page.value("clients") != clients:
        found.append(f"{clients} clients are connected, the metrics say {page.value('clients')}")
    if accepted != closed + page.value("clients"):
        found.append(f"{accepted} accepted are not {closed} closed and {page.value('clients')} open")
    return found
