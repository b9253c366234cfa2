"""The model: one channel's log, and what it makes of the state and of the members."""

from commands import CONFIGURED
from fold import MEMBER_EVENTS, apply_member_event, apply_message

DROP = {"type": "sync:full", "data": {}}  # what a drop does to the state, at the position that it takes


class Model:
    """One channel in one epoch, asked in rising order of seq. `events` is seq to message; `faults` has the events that
    could not be where they are."""

    def __init__(self, channel, events, first_state=None):
        self.faults = []
        self.people = {}
        self._events = events
        self._seq, self._state = 0, dict(first_state or {})
        if not channel:
            self._state = {**dict.fromkeys(CONFIGURED), **self._state}

    def state_at(self, seq):
        """The state behind event `seq`, where `people` are the members then; None when nothing is known of an event
        before it."""
        while self._seq < seq and self._seq + 1 in self._events:
            self._seq += 1
            self._apply(self._events[self._seq])
        return self._state if self._seq == seq else None

    def _apply(self, event):
        self._state = apply_message(self._state, event)
        if event is DROP:
            self.people = {}
        if event["type"] in MEMBER_EVENTS:
            self._apply_to_people(event)

    def _apply_to_people(self, event):
        before = self.people.get(event["data"]["id"])
        try:
            self.people = apply_member_event(self.people, event)
        except AssertionError:
            self.faults.append(event)
        if event["type"] == "sync:changed" and before and before["info"] == event["data"]["info"]:
            self.faults.append(event)

    def adopt(self, seq, state, people):
        """Goes on from a snapshot, behind events that nobody saw."""
        self._seq, self._state, self.people = seq, state, people
