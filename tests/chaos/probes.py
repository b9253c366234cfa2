"""Looks at the relay as somebody who has just come."""

import time
from http.client import HTTPException

from raw_client import RawClient
from relay_process import is_sanitized

SOURCE = "127.0.0.77"
GIVE_UP_SECONDS = 10.0
FIRST_MESSAGE = b'{"type":"sync:full"'
SANITIZED_SLOWNESS = 3
MISSES = (OSError, EOFError, AssertionError, HTTPException)


def allowed(seconds, lateness):
    """So many seconds on an idle machine, widened by how late the machine makes timers and by what sanitizers cost."""
    return (seconds + 10 * lateness) * (SANITIZED_SLOWNESS if is_sanitized() else 1)


def newcomer(port, patience=GIVE_UP_SECONDS):
    """Seconds until a new client had the beginning of its snapshot; or what went wrong, as text."""
    start = time.monotonic()
    try:
        with RawClient(port, source=SOURCE, seconds=patience) as client:
            client.upgrade()
            first = client.read_frame()
    except MISSES as miss:
        return f"a newcomer failed after {time.monotonic() - start:.1f} s: {type(miss).__name__} {miss}"
    if not first.payload.startswith(FIRST_MESSAGE):
        return f"a newcomer's first message is {first.payload[:200]!r}"
    return time.monotonic() - start


def verdict(outcome, limit):
    """None, or the finding."""
    if isinstance(outcome, str):
        return outcome
    return f"a newcomer waited {outcome:.1f} s, over {limit:.1f} s" if outcome > limit else None


def health_finding(relay, clients):
    """None when /health answers 200 and counts these clients."""
    try:
        reply = relay.http()
    except MISSES as miss:
        return f"/health does not answer: {type(miss).__name__} {miss}"
    if reply.status != 200:
        return f"/health answers {reply.status}: {reply.body[:200]}"
    counted = reply.json()["clients"]
    return None if counted == clients else f"/health counts {counted} clients, {clients} are connected"
