"""Steps of several events (a batch, a list broadcast): all of them are there or none, and nothing comes between them."""

from collections import defaultdict

from commands import ROOMS, is_doomed, parts, tag_in, tag_of


def unit_of(message):
    """The command that an event belongs to; None for those that carry no tag."""
    name = tag_of(message.body)
    return name.split("/")[0] if name else None


class WholeSteps:
    def __init__(self, log, command_of):
        """`command_of` makes a command from its tag."""
        self._log, self._command_of = log, command_of
        self._units = {}  # unit to commands by channel

    def _by_channel(self, unit):
        """channel to the tags of its events, in order; a drop and a delete have None."""
        if unit not in self._units:
            found = defaultdict(list)
            for channel, part in parts(self._command_of(unit)):
                if part.get("notify", True):
                    found[channel].append(tag_in(part))
            self._units[unit] = found
        return self._units[unit]

    def check_flow(self, name, steps):
        """On one connection: a step's events lie behind each other (deletes cannot be told from those of others), and no
        snapshot shows half of one."""
        current, ended = None, set()
        for step in steps:
            if step.type in ("sync:full", "sync:resume"):
                shown = self._unit_at(step.log, step.to + 1)
                self._log.expect(shown is None or shown not in ended | {current} and
                                 shown != self._unit_at(step.log, step.to),
                                 f"{name}: {step.log} begins at {step.to}, in the middle of {shown}")
                if step.type == "sync:resume":  # brings back what may have been seen
                    current, ended = None, set()
                continue
            unit = unit_of(step.message)
            if unit not in (None, current):
                self._log.expect(unit not in ended, f"{name}: {unit} is torn apart by {current} at {step.seq} of {step.log}")
                ended.add(current)
                current = unit

    def _unit_at(self, log, seq):
        message = self._log.events[log].get(seq)
        return message and unit_of(message)

    def check_log(self, whole_epochs):
        """All or none, in the epochs of which everything was seen; a batch that must be refused: none."""
        found = defaultdict(lambda: defaultdict(dict))  # (unit, epoch) to channel to tag to seq
        for (channel, epoch), events in self._log.events.items():
            for seq, message in events.items():
                if name := tag_of(message.body):
                    found[name.split("/")[0], epoch][channel][name] = seq
        for (unit, epoch), seen in found.items():
            self._log.expect(not is_doomed(self._command_of(unit)),
                             f"{unit} could only be refused, and {dict(seen)} of it is there")
            for channel, names in self._by_channel(unit).items():
                if channel in ("", *ROOMS):
                    self._check_in_channel(unit, channel, names, seen.get(channel, {}), epoch in whole_epochs)

    def _check_in_channel(self, unit, channel, names, seen, whole):
        missing = [name for name in names if name is not None and name not in seen]
        self._log.expect(not whole or not missing, f"{unit} is there, but in {channel!r} not {missing}")
        starts = {seen[name] - index for index, name in enumerate(names) if name in seen}
        self._log.expect(len(starts) <= 1, f"{unit} does not lie together in {channel!r}: {seen}")
