"""The model: one log, and what it makes of the state."""

from fold import apply_message

CONFIGURED = ("comparison", "radio")


class Model:
    """One epoch, asked in rising order of seq. `events` is seq to message."""

    def __init__(self, events):
        self._events = events
        self._seq, self._state = 0, dict.fromkeys(CONFIGURED)

    def state_at(self, seq):
        """The state behind event `seq`; None when an event before it was seen by nobody."""
        while self._seq < seq and self._seq + 1 in self._events:
            self._seq += 1
            self._state = apply_message(self._state, self._events[self._seq])
        return self._state if self._seq == seq else None

    def adopt(self, seq, state):
        """Goes on from a snapshot, behind events that nobody saw."""
        self._seq, self._state = seq, state
