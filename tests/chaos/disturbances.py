"""When the relay was kept from its work on purpose, so that nobody is blamed for what follows from that."""

import contextlib
import time

AFTERMATH_SECONDS = 1.0
ALWAYS = float("inf")


class Disturbances:
    """Spans of the steady clock, by kind."""

    def __init__(self):
        self._spans = []

    @contextlib.contextmanager
    def during(self, kind):
        span = [kind, time.monotonic(), ALWAYS]
        self._spans.append(span)
        try:
            yield
        finally:
            span[2] = time.monotonic() + AFTERMATH_SECONDS

    def overlap(self, begin, end, kinds):
        """Whether one of these kinds touches this stretch of time."""
        return any(kind in kinds and begin <= until and since <= end for kind, since, until in self._spans)
