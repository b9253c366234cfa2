"""Holds what a run left against the model. Every finding is one sentence; none means that all promises were kept."""

from collections import Counter, defaultdict

from commands import command, is_quiet, tag, tag_of
from fold import apply_message
from model import Model
from one_log import OneLog
from plan import BACKENDS


def loud(state):
    """The state without the keys that change without an event."""
    return {key: value for key, value in state.items() if not key.startswith("quiet:")}


class Judge:
    def __init__(self, record):
        self._record = record
        self._log = OneLog(forgets=record.plan.forgets, small_window=record.plan.small_window)
        self._visits = [(name, *visit) for name, visits in record.followers.items() for visit in visits]
        self._visits += [("a new client", None, record.fresh), ("a client from 0", None, record.whole)]

    def findings_of_all(self):
        for visit in self._visits:
            self._log.add(*visit)
        self._check_whole()
        self._check_snapshots()
        self._check_final_states()
        for name, style in BACKENDS.items():
            check = self._check_pushed if style == "pushed" else self._check_confirmed
            check(name, style, self._record.journals[name])
        self._check_tags()
        self._check_deletes()
        return self.findings

    @property
    def findings(self):
        return self._log.findings

    def _expect(self, condition, finding):
        self._log.expect(condition, finding)

    def _check_whole(self):
        """Where the window holds it, the log is whole from its first event on."""
        if not self._record.plan.small_window:
            self._expect(self._record.whole[0].type == "sync:resume", "resuming from 0 gave a snapshot")

    # The state.

    def _model(self, epoch):
        return Model({seq: message.body for seq, message in self._log.events[epoch].items()})

    def _check_snapshots(self):
        for epoch, snapshots in self._log.snapshots.items():
            model = self._model(epoch)
            for message in sorted(snapshots, key=lambda m: (m.seq, m.body["ts"])):
                expected = model.state_at(message.seq)
                if expected is None:
                    self._expect(self._record.plan.small_window or self._record.plan.forgets,
                                 f"nobody saw all events up to {message.seq}")
                    model.adopt(message.seq, loud(message.data))
                else:
                    self._expect(loud(message.data) == expected, f"the snapshot at {message.seq} of {epoch} is not "
                                 f"the state behind that event: {str(message.data)[:300]}, not {str(expected)[:300]}")

    def _check_final_states(self):
        final = self._record.final["state"]
        self._expect(self._record.fresh[0].data == final, "a new client's snapshot is not the relay's state")
        expected = self._model(self._record.final["epoch"]).state_at(self._record.final["seq"])
        if not self._record.plan.small_window:
            self._expect(expected == loud(final), f"the final state is not the model's: {str(final)[:300]}")
        for name, visits in self._record.followers.items():
            replica = self._replica(visits)
            self._expect(loud(replica) == loud(final), f"{name} ended with another state: {str(replica)[:300]}")

    @staticmethod
    def _replica(visits):
        """What a client makes of all that it got, over all its connections."""
        state = {}
        for _, messages in visits:
            for message in messages:
                if message.type not in ("sync:resume", "ping"):
                    state = apply_message(state, message.body)
        return state

    # The commands.

    def _made(self, name, number):
        return command(self._record.plan.seed, name, number, BACKENDS[name])

    def _check_confirmed(self, name, style, lines):
        answers = defaultdict(list)
        for line in lines:
            answers[line["n"]].append(line["answer"])
        for number, given in answers.items():
            refused = [answer for answer in given if not answer["ok"]]
            self._expect(not refused, f"{tag(name, number)} was refused: {refused[:1]}")
            positions = {(answer["epoch"], answer["seq"]) for answer in given if answer["ok"]}
            per_epoch = Counter(epoch for epoch, _ in positions)
            self._expect(all(count == 1 for count in per_epoch.values()),
                         f"{tag(name, number)} was answered with several positions: {sorted(positions)}")
            made = self._made(name, number)
            for epoch, seq in positions:
                self._check_effect(tag(name, number), made, epoch, seq)
        self._check_quiet(name, style, answers)

    def _check_effect(self, name, made, epoch, seq):
        """The event at the answered position is this command's."""
        event = self._log.events[epoch].get(seq)
        if is_quiet(made):
            return
        if event is None:
            self._expect(self._record.plan.small_window or epoch != self._record.final["epoch"],
                         f"{name} was confirmed at {seq} of {epoch}, and there is no such event")
        elif made["op"] == "delete":
            told = event.body["data"]
            self._expect(told in ([made["key"]], {made["key"]: None}), f"{name} at {seq} is no delete: {told}")
        else:
            self._expect(tag_of(event.body) == name, f"{name} was confirmed at {seq}, where {event.text[:200]} is")

    def _check_quiet(self, name, style, answers):
        """The last confirmed value of the backend's quiet key, or a later one that was sent without an answer."""
        if style != "sequential":
            return
        epoch = self._record.final["epoch"]
        confirmed = [n for n, given in answers.items() if any(a.get("epoch") == epoch for a in given)
                     and is_quiet(self._made(name, n))]
        value = self._record.final["state"].get(f"quiet:{name}")
        if confirmed:
            self._expect(value is not None and max(confirmed) <= value <= max(answers) + 1,
                         f"quiet:{name} is {value}, last confirmed {max(confirmed)}")

    def _check_pushed(self, name, style, lines):
        """In the order sent; without a gap unless the relay or the backend was ended on the way."""
        epoch = self._record.final["epoch"]
        seen = [int(t.split(":")[1]) for t in self._tags(epoch) if t.startswith(name + ":")]
        self._expect(seen == sorted(seen), f"{name}: not in the order sent")
        undisturbed = not self._record.restarts and f"kill backend {name}" not in self._record.faults
        if undisturbed and not self._record.plan.small_window:
            sent = [line["n"] for line in lines if not is_quiet(self._made(name, line["n"]))]
            self._expect(seen == sent, f"{name}: {len(sent)} sent, {len(seen)} arrived, and nobody had ended")

    def _tags(self, epoch):
        log = self._log.events[epoch]
        tags = (tag_of(log[seq].body) for seq in sorted(log))
        return [t for t in tags if t is not None]

    def _check_tags(self):
        for epoch in self._log.events:
            twice = [t for t, count in Counter(self._tags(epoch)).items() if count > 1]
            self._expect(not twice, f"took effect more than once in {epoch}: {twice[:5]}")


    def _check_deletes(self):
        """They carry no tag: every one in the log was answered, but for one that was under way at the end."""
        if self._record.plan.forgets or self._record.plan.small_window:
            return
        epoch = self._record.final["epoch"]
        deletes = {seq for seq, message in self._log.events[epoch].items() if message.type == "sync:delete"
                   or (message.type == "sync:set" and None in message.data.values())}
        answered = {line["answer"]["seq"] for name, lines in self._record.journals.items() for line in lines
                    if line.get("answer", {}).get("ok") and self._made(name, line["n"])["op"] == "delete"}
        self._expect(len(deletes - answered) <= 1, f"deletes that nobody was told of: {sorted(deletes - answered)}")


def findings(record):
    return Judge(record).findings_of_all()
