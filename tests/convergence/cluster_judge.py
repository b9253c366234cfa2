"""Holds what a run of three relays left against the model: see judge.py. What differs is what may become of an epoch."""

from collections import Counter, defaultdict

from attendance import Attendance
from commands import COUNT, COUNTED, ROOMS, tag_of
from confirmed import Confirmed
from judge import Judge, loud
from people import PUBLISHED, SAID, identity_of
from plan import BACKENDS
from whole_steps import WholeSteps
from wills import Wills


class ClusterConfirmed(Confirmed):
    """Where nothing is lost, what was confirmed under one epoch is there under the next one, and not a second time."""

    @property
    def _loses(self):
        return self._record.plan.loses

    def _check_effect(self, name, channel, part, epoch, seq):
        """A repetition is answered under the epoch that there is by then, with the number that it had under an earlier one."""
        if not self._is_from_before(channel, epoch, seq):
            return super()._check_effect(name, channel, part, epoch, seq)
        for log in [log for log, events in self._log.events.items() if log[0] == channel and seq in events]:
            if not self._loses:
                super()._check_effect(name, channel, part, log[1], seq)
        return None

    def _is_from_before(self, channel, epoch, seq):
        """Whether anybody who is under that epoch has heard of this position by a snapshot at most."""
        snapshots = self._log.snapshots.get((channel, epoch), ())
        return epoch != self._record.first_epoch and seq not in self._log.events[channel, epoch] and \
            any(seq <= message.seq for message in snapshots)

    def _check_once(self):
        super()._check_once()
        if self._loses:
            return
        self._check_numbers()
        found = defaultdict(set)  # (channel, tag) to epochs
        for (channel, epoch), events in self._log.events.items():
            for message in events.values():
                if name := tag_of(message.body):
                    found[channel, name].add(epoch)
        twice = [each for each, epochs in found.items() if len(epochs) > 1]
        self._expect(not twice, f"took effect once more under another epoch: {twice[:5]}")

    def _check_numbers(self):
        """The next epoch goes on behind the last event of the one before: no number comes again."""
        found = defaultdict(set)  # (channel, seq) to epochs
        for (channel, epoch), events in self._log.events.items():
            for seq in events:
                found[channel, seq].add(epoch)
        twice = [place for place, epochs in found.items() if len(epochs) > 1]
        self._expect(not twice, f"numbers that came under two epochs: {sorted(twice)[:5]}")

    def _check_quiet(self):
        super()._check_quiet()
        if self._loses:
            return
        state = self._record.final[""]["state"]
        for name, style in BACKENDS.items():
            confirmed = [line["n"] for line in self._record.journals[name] if style == "sequential" and line["answer"]["ok"]
                         and self._made(name, line["n"]).get("key") == f"quiet:{name}"]
            if confirmed:
                value = state.get(f"quiet:{name}")
                self._expect(value is not None and value >= max(confirmed),
                             f"quiet:{name} is {value}, last confirmed {max(confirmed)}")

    def _check_counts(self):
        super()._check_counts()
        for channel in COUNTED if not self._loses else ():
            n = (self._record.final[channel]["state"].get(COUNT) or {"n": 0})["n"]
            confirmed = {(name, number) for name, number, answer in self._answers()
                         if answer["ok"] and self._counts_in(name, number) == (channel,)}
            self._expect(n == len(confirmed), f"the counter of {channel!r} is {n}, and {len(confirmed)} were confirmed "
                         "under all epochs")


class ClusterJudge(Judge):
    def __init__(self, record):
        super().__init__(record)
        self._confirmed = ClusterConfirmed(self._log, record, self._made)

    def findings_of_all(self):
        self._log.findings += self._record.differ
        return super().findings_of_all()

    def _check_whole(self):
        """A relay that has begun anew, or behind a checkpoint, has a window that begins there."""

    def _model(self, log):
        """A later epoch begins with the state that there was: with the first snapshot behind which all was seen. Who had an
        earlier one may have gone before the others came."""
        model = super()._model(log)
        snapshots = self._log.snapshots.get(log, ())
        if log[1] != self._record.first_epoch and snapshots:
            begin = self._begin_of_the_end(log)
            first = min([message for message in snapshots if message.seq >= begin] or snapshots,
                        key=lambda message: (message.seq, message.body["ts"]))
            model.adopt(first.seq, loud(first.data), first.body.get("members", {}))
        return model

    def _begin_of_the_end(self, log):
        """Behind this number every event is known."""
        known = self._known(log)
        seq = max(known, default=0)
        while seq in known:
            seq -= 1
        return seq

    def _check_steps(self):
        steps = WholeSteps(self._log, self._command_of)
        for name, flow in self._log.flows:
            steps.check_flow(name, flow)
        steps.check_log(self._last_epochs() if not self._plan.forgets else ())

    def _check_company(self):
        company = self._record.company
        if not self._plan.loses:
            Attendance(self._log, company, self._plan.lists, True).check(self._log.events, self._log.flows)
            known = {log: self._known(log) for log in {*self._log.events, *self._confirmed.effects}}
            Wills(self._log, self._plan.seed, company.wills).check(known, not self._plan.forgets)
        self._check_published()

    def _check_published(self):
        """What tabs were told is taken is there, once, in their order."""
        found = defaultdict(list)  # (epoch, tab) to numbers in order
        for (channel, epoch), events in self._log.events.items():
            for seq in sorted(events):
                if events[seq].type == SAID:
                    name, number = events[seq].data["tab"], events[seq].data["number"]
                    found[epoch, name].append(number)
                    self._expect(channel == PUBLISHED and events[seq].body.get("from") == identity_of(name),
                                 f"an event of {name} at {seq} of {channel!r} is not from it: {events[seq].text[:200]}")
        for (epoch, name), numbers in found.items():
            self._expect(len(numbers) == len(set(numbers)), f"{name} published twice: {numbers[:20]}")
            self._expect(numbers == sorted(numbers), f"{name} published not in order: {numbers[:20]}")
        assert PUBLISHED in ROOMS
        for name, tab in self._record.company.tabs.items() if not self._plan.loses else ():
            times = Counter(number for (_, who), numbers in found.items() if who == name for number in numbers)
            self._expect(not [n for n, count in times.items() if count > 1], f"{name} published again under another epoch")
            taken = {number for number, (code, _) in tab["answers"].items() if code is None}
            missing = taken - set(times)
            self._expect(self._plan.forgets or not missing,
                         f"{name} was told that its events {sorted(missing)[:5]} are taken, and they are nowhere")


def cluster_findings(record):
    return ClusterJudge(record).findings_of_all()
