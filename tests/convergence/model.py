"""The model: one channel's log, and what it makes of the state."""

from commands import CONFIGURED
from fold import apply_message

DROP = {"type": "sync:full", "data": {}}  # what a drop does to the state, at the position that it takes


class Model:
    """One channel in one epoch, asked in rising order of seq. `events` is seq to message."""

    def __init__(self, channel, events):
        self._events = events
        self._seq, self._state = 0, {} if channel else dict.fromkeys(CONFIGURED)

    def state_at(self, seq):
        """The state behind event `seq`; None when nothing is known of an event before it."""
        while self._seq < seq and self._seq + 1 in self._events:
            self._seq += 1
            self._state = apply_message(self._state, self._events[self._seq])
        return self._state if self._seq == seq else None

    def adopt(self, seq, state):
        """Goes on from a snapshot, behind events that nobody saw."""
        self._seq, self._state = seq, state
