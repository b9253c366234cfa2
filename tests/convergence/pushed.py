"""Commands that were pushed and have no answers: in the order sent, without a gap where nobody was ended.

The order holds for each life of a backend: what one that was killed had left in its socket may be read last.
"""

from collections import defaultdict

from commands import ROOMS, is_doomed, number_of, parts, tag_in, tag_of
from plan import BACKENDS


class Pushed:
    def __init__(self, log, record, made):
        self._log, self._record, self._made = log, record, made

    def check(self):
        for name, style in BACKENDS.items():
            if style == "pushed":
                for channel in ("", *ROOMS):
                    self._check_channel(name, channel)

    def _check_channel(self, name, channel):
        seen = self._seen(name, channel)
        for life in lives(self._record.journals[name]):
            numbers = [number for number in map(number_of, seen) if number in life]
            self._log.expect(numbers == sorted(numbers), f"{name}: not in the order sent in {channel!r}")
        undisturbed = not self._record.restarts and f"kill backend {name}" not in self._record.faults
        if undisturbed and not self._record.plan.small_window:
            sent = self._sent(name, channel)
            self._log.expect(seen == sent, f"{name}: {len(sent)} sent to {channel!r}, {len(seen)} arrived, and nobody had ended")

    def _seen(self, name, channel):
        events = self._log.events[channel, self._record.final[channel]["epoch"]]
        tags = (tag_of(events[seq].body) for seq in sorted(events))
        return [each for each in tags if each and each.startswith(name + ":")]

    def _sent(self, name, channel):
        made = (self._made(name, line["n"]) for line in self._record.journals[name])
        return [tag_in(part) for one in made if not is_doomed(one)
                for place, part in parts(one) if place == channel and tag_in(part)]


def lives(journal):
    """The numbers that each life of a backend sent."""
    found = defaultdict(set)
    for line in journal:
        found[line["life"]].add(line["n"])
    return list(found.values())
