"""Confirmed commands: each is in effect where its answer says, once, and counts."""

from collections import Counter, defaultdict

from answers import positions
from commands import COUNT, COUNTED, ROOMS, event_of, increment_in, is_doomed, is_quiet, parts, tag, tag_of
from counting import is_conflict, is_final, is_unknown
from leases import LEASE, gone_keys
from model import DROP
from plan import BACKENDS

TIMELESS = ("ts", "seq", "channel")


class Confirmed:
    """`made` makes the n-th command of a backend."""

    def __init__(self, log, record, made):
        self._log, self._record, self._made = log, record, made
        self.effects = defaultdict(dict)  # (channel, epoch) to seq to what the command there does to a state
        self._places = defaultdict(set)  # (backend, number, index of its part) to (channel, epoch, seq)
        self._versions = defaultdict(list)  # (channel, epoch) to (seq, key, version)

    def _expect(self, condition, finding):
        self._log.expect(condition, finding)

    def _answers(self):
        for name, style in BACKENDS.items():
            if style != "pushed":
                for line in self._record.journals[name]:
                    yield name, line["n"], line["answer"]

    def read(self):
        """Where everything is; to be called before `effects` is looked at."""
        for name, number, answer in self._answers():
            made = self._made(name, number)
            if answer["ok"] and not is_doomed(made):
                for index, place in enumerate(positions(made, answer)):
                    places = self._places[name, number, index]
                    if place:
                        self._take(places, *parts(made)[index], *place)

    def _take(self, places, channel, part, seq, epoch, versions):
        places.add((channel, epoch, seq))
        self._versions[channel, epoch] += [(seq, key, version) for key, version in versions.items() if version]
        if part["op"] == "drop":
            self.effects[channel, epoch].setdefault(seq, DROP)
        elif not is_quiet(part) and not increment_in(part):
            self.effects[channel, epoch][seq] = event_of(channel, part)

    def check(self):
        self._check_refusals()
        for (name, number, index), places in self._places.items():
            self._check_places(tag(name, number), *parts(self._made(name, number))[index], places)
        self._check_versions()
        self._check_once()
        self._check_deletes()
        self._check_quiet()
        self._check_counts()

    def _check_refusals(self):
        for name, number, answer in self._answers():
            made = self._made(name, number)
            if is_unknown(answer):
                continue
            if is_doomed(made):
                self._expect(is_conflict(answer) and answer["error"]["index"] == len(made["commands"]) - 1,
                             f"{tag(name, number)} can only be refused, and was answered {str(answer)[:300]}")
            elif is_final(made, answer):
                self._expect(answer["ok"], f"{tag(name, number)} was refused: {str(answer)[:300]}")

    def _check_places(self, name, channel, part, places):
        per_epoch = Counter(epoch for _, epoch, _ in places)
        if part["op"] != "drop":
            self._expect(all(count == 1 for count in per_epoch.values()),
                         f"{name} was answered with several positions: {sorted(places)}")
        for _, epoch, seq in places:
            if not is_quiet(part):
                self._check_effect(name, channel, part, epoch, seq)

    def _check_effect(self, name, channel, part, epoch, seq):
        """The event at the answered position is this command's."""
        event = self._log.events[channel, epoch].get(seq)
        if event is None:
            lost = channel in ("", *ROOMS) and not self._record.plan.small_window
            self._expect(not lost or epoch != self._record.final[channel]["epoch"],
                         f"{name} was confirmed at {seq} of {(channel, epoch)}, and there is no such event")
            return
        told = {key: value for key, value in event.body.items() if key not in TIMELESS}
        expected = event_of(channel, part)
        if increment_in(part):
            expected = {**expected, "data": {COUNT: {**part["value"], "n": told["data"].get(COUNT, {}).get("n")}}}
        self._expect(told == expected, f"{name} was confirmed at {seq} of {(channel, epoch)}, where {event.text[:200]} is")

    def _check_versions(self):
        """One counter for the whole log: none comes twice, and in a channel they grow."""
        by_epoch = defaultdict(list)
        for (channel, epoch), told in self._versions.items():
            by_epoch[epoch] += [(version, channel, key) for _, key, version in told]
            ordered = sorted((seq, version) for seq, _, version in told)
            falls = [(a, b) for a, b in zip(ordered, ordered[1:]) if a[1] > b[1]]
            self._expect(not falls, f"versions (seq, version) fall in {(channel, epoch)}: {falls[:3]}")
            final = self._record.final[channel]
            last = final["versions"] if final["epoch"] == epoch else {}
            older = [(key, version) for _, key, version in told if last.get(key, version) < version]
            self._expect(not older, f"versions of {channel!r} ended below what was told before: {older[:3]}")
        for epoch, told in by_epoch.items():
            twice = [version for version, count in Counter(version for version, _, _ in told).items() if count > 1]
            self._expect(not twice, f"versions that were given twice in {epoch}: {twice[:5]}")

    def _check_once(self):
        for log, events in self._log.events.items():
            tags = Counter(tag_of(message.body) for message in events.values())
            twice = [name for name, count in tags.items() if name is not None and count > 1]
            self._expect(not twice, f"took effect more than once in {log}: {twice[:5]}")

    def _check_deletes(self):
        """They carry no tag: every one in the log was answered, but for one that was under way at the end."""
        if self._record.plan.forgets or self._record.plan.small_window:
            return
        deletes = [(channel, part["key"], places) for (name, number, index), places in self._places.items()
                   for channel, part in [parts(self._made(name, number))[index]] if part["op"] == "delete"]
        answered = {place for _, _, places in deletes for place in places}
        untold = Counter((channel, key) for channel, key, places in deletes if not places)
        unknown = Counter((channel, gone_keys(message)[0]) for (channel, epoch), events in self._log.events.items()
                          for seq, message in events.items()
                          if is_delete(message) and (channel, epoch, seq) not in answered)
        unknown -= untold  # a repetition's answer does not tell all positions
        self._expect(unknown.total() <= 1, f"deletes that nobody was told of: {sorted(unknown)[:5]}")

    def _check_quiet(self):
        """The last confirmed value of the backend's quiet key, or a later one that was sent without an answer."""
        final = self._record.final[""]
        for name, style in BACKENDS.items():
            lines = self._record.journals[name]
            if style != "sequential" or not lines:
                continue
            confirmed = [line["n"] for line in lines if line["answer"].get("epoch") == final["epoch"]
                         and self._made(name, line["n"]).get("key") == f"quiet:{name}"]
            value = final["state"].get(f"quiet:{name}")
            if confirmed:
                self._expect(value is not None and max(confirmed) <= value <= max(line["n"] for line in lines) + 1,
                             f"quiet:{name} is {value}, last confirmed {max(confirmed)}")

    def _check_counts(self):
        """Counters grow by one each time, and end at the number of increments that were confirmed."""
        for channel in COUNTED:
            final = self._record.final[channel]
            n = (final["state"].get(COUNT) or {"n": 0})["n"]
            answered = [(name, number, answer_epoch(self._made(name, number), answer))
                        for name, number, answer in self._answers()
                        if answer["ok"] and self._counts_in(name, number) == (channel,)]
            confirmed = {each[:2] for each in answered if each[2] == final["epoch"]}
            elsewhere = {each[:2] for each in answered if self._record.plan.forgets} - confirmed  # here its answer was lost
            self._expect(len(confirmed) <= n <= len(confirmed | elsewhere),
                         f"the counter of {channel!r} is {n}, and {len(confirmed)} were confirmed")
        for log, events in self._log.events.items():
            counts = [events[seq].data[COUNT]["n"] for seq in sorted(events)
                      if events[seq].type == "sync:set" and COUNT in events[seq].data]
            steps = [(a, b) for a, b in zip(counts, counts[1:]) if b != a + 1]
            self._expect(self._record.plan.small_window or not steps, f"the counter of {log} went {steps[:3]}")

    def _counts_in(self, name, number):
        increment = increment_in(self._made(name, number))
        return (increment.get("channel", ""),) if increment else None


def answer_epoch(made, answer):
    """The epoch of its last command's channel."""
    return positions(made, answer)[-1][1]


def is_delete(message):
    """Of a key without a ttl."""
    return any(not key.startswith(LEASE) for key in gone_keys(message))
