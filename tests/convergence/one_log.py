"""The one log that all clients must have seen the same of, gathered from what each of them was sent."""

from collections import defaultdict


class OneLog:
    """`forgets`: the relay was also started without its data. `small_window`: who was away may have missed some."""

    def __init__(self, forgets, small_window):
        self.events = defaultdict(dict)  # epoch to seq to message
        self.snapshots = defaultdict(list)  # epoch to messages
        self.findings = []
        self._forgets, self._small_window = forgets, small_window

    def expect(self, condition, finding):
        if not condition:
            self.findings.append(finding)

    def add(self, name, asked, messages):
        """One visit: the position that the client asked for, or None, and all that it got."""
        self._gather(name, messages)
        self._check_run(name, messages)
        self._check_return(name, asked, messages)

    def _gather(self, name, messages):
        epoch = messages[0].body["epoch"]
        for message in messages:
            if message.is_event:
                known = self.events[epoch].setdefault(message.seq, message)
                self.expect(known.text == message.text, f"{name}: seq {message.seq} of {epoch} has two meanings: "
                            f"{known.text[:200]} and {message.text[:200]}")
            elif message.type == "sync:full":
                self.snapshots[epoch].append(message)

    def _check_run(self, name, messages):
        """A contiguous run of the log, or a snapshot that says how much was skipped."""
        seq = messages[0].seq
        for message in messages[1:]:
            if message.is_event:
                self.expect(message.seq == seq + 1, f"{name}: event {message.seq} after {seq}")
                seq = message.seq
            elif message.type == "sync:full":
                self.expect(message.body.get("skipped") == message.seq - seq > 0,
                            f"{name}: a snapshot at {message.seq} after {seq} says skipped "
                            f"{message.body.get('skipped')}")
                seq = message.seq

    def _check_return(self, name, asked, messages):
        """Who comes back goes on where it was; in the same epoch positions never run backwards."""
        first = messages[0]
        if asked is None:
            return
        if first.body["epoch"] != asked["epoch"]:
            self.expect(self._forgets, f"{name}: epoch {asked['epoch']} became {first.body['epoch']}")
        elif first.type == "sync:resume":
            self.expect(first.seq == asked["seq"], f"{name}: asked for {asked['seq']}, resumed at {first.seq}")
        else:
            self.expect(self._small_window, f"{name}: a snapshot where resuming was possible: {asked}")
            self.expect(first.seq >= asked["seq"], f"{name}: the log went back from {asked['seq']} to {first.seq}")
