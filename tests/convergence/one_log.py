"""The one log that all clients must have seen the same of, gathered from what each of them was sent."""

from collections import defaultdict
from dataclasses import dataclass

from commands import TEMPS
from listener import Ask, Leave


@dataclass
class Run:
    """What one connection got of one channel since its subscription began."""
    epoch: str
    seq: int
    to: int  # up to here it is what a resume brings back


@dataclass(frozen=True)
class Step:
    """One message of a connection that says where in a channel it stands; `replayed`: an event that a resume brings back."""
    channel: str
    epoch: str
    seq: int
    type: str
    message: object
    replayed: bool = False

    @property
    def log(self):
        return self.channel, self.epoch

    @property
    def to(self):
        """How far what a snapshot or a resume stands for reaches."""
        return self.message.data["to"] if self.type == "sync:resume" else self.seq


class OneLog:
    """`forgets`: the relay was also started without its data. `small_window`: who was away may have missed some. `lags`: who
    comes to a relay that is behind, and stays so, gets a snapshot from before."""

    def __init__(self, forgets, small_window, lags=False):
        self.events = defaultdict(dict)  # (channel, epoch) to seq to message
        self.snapshots = defaultdict(list)  # (channel, epoch) to messages
        self.flows = []  # (name, steps) of each connection
        self.findings = []
        self._forgets, self._small_window, self._lags = forgets, small_window, lags

    def expect(self, condition, finding):
        if not condition:
            self.findings.append(finding)

    def add(self, name, script):
        """One connection: all that the client asked and got, in this order."""
        self.flows.append((name, _Connection(self, name).steps_of(script)))

    def gather(self, name, step):
        if step.message.is_event:
            known = self.events[step.log].setdefault(step.seq, step.message)
            self.expect(known.text == step.message.text, f"{name}: seq {step.seq} of {step.log} has two meanings: "
                        f"{known.text[:200]} and {step.message.text[:200]}")
        elif step.type == "sync:full":
            self.snapshots[step.log].append(step.message)

    def check_return(self, name, asked, first):
        """Who comes back goes on where it was; in the same epoch positions never run backwards."""
        where, position = f"{name} in {asked.channel!r}", asked.position
        if position is None:
            self.expect(first.type == "sync:full", f"{where}: a resume that nobody asked for")
        elif first.body["epoch"] != position["epoch"]:
            self.expect(self._forgets, f"{where}: epoch {position['epoch']} became {first.body['epoch']}")
        elif first.type == "sync:resume":
            self.expect(first.seq == position["seq"], f"{where}: asked for {position['seq']}, resumed at {first.seq}")
        elif not self._lags or first.seq >= position["seq"]:
            self.expect(self._small_window or asked.channel in TEMPS or asked.channel.startswith("@"),
                        f"{where}: a snapshot where resuming was possible: {position}")
            self.expect(first.seq >= position["seq"],
                        f"{where}: the log went back from {position['seq']} to {first.seq}")


class _Connection:
    """Follows the subscriptions of one connection."""

    def __init__(self, log, name):
        self._log, self._name = log, name
        self._asked = defaultdict(list)  # channel to what it waits for, in this order
        self._runs = {}
        self._steps = []

    def steps_of(self, script):
        for entry in script:
            if isinstance(entry, (Ask, Leave)):
                self._asked[entry.channel].append(entry)
            else:
                self._hear(entry.channel, entry.message)
        return self._steps

    def _expect(self, condition, finding):
        self._log.expect(condition, f"{self._name}: {finding}")

    def _hear(self, channel, message):
        if message.type == "sync:unsubscribed":
            self._end(channel, message.body)
        elif message.type == "sync:refused":
            self._expect(False, f"{channel!r} was refused: {message.text[:200]}")
        elif message.is_event:
            self._event(channel, message)
        elif "skipped" in message.body:
            self._skip(channel, message)
        else:
            self._begin(channel, message)

    def _begin(self, channel, message):
        asked = self._next_asked(channel, Ask)
        self._expect(asked and channel not in self._runs, f"a beginning of {channel!r} that it had not asked for")
        if asked:
            self._log.check_return(self._name, asked, message)
        to = message.data["to"] if message.type == "sync:resume" else message.seq
        self._runs[channel] = Run(message.body["epoch"], message.seq, to)
        self._step(channel, message)

    def _event(self, channel, message):
        """A contiguous run of the log, or a snapshot that says how much was skipped."""
        run = self._runs.get(channel)
        if run is None:
            self._expect(False, f"an event of {channel!r}, which it does not follow: {message.text[:200]}")
            return
        self._expect(message.seq == run.seq + 1, f"event {message.seq} after {run.seq} in {channel!r}")
        run.seq = message.seq
        self._step(channel, message)

    def _skip(self, channel, message):
        run = self._runs.get(channel)
        seq = run.seq if run else message.seq
        self._expect(message.body["skipped"] == message.seq - seq > 0,
                     f"a snapshot at {message.seq} after {seq} in {channel!r} says skipped {message.body['skipped']}")
        self._runs[channel] = Run(message.body["epoch"], message.seq, message.seq)
        self._step(channel, message)

    def _step(self, channel, message):
        run = self._runs[channel]
        step = Step(channel, run.epoch, message.seq, message.type, message,
                    message.is_event and message.seq <= run.to)
        self._log.gather(self._name, step)
        self._steps.append(step)

    def _end(self, channel, body):
        run = self._runs.pop(channel, None)
        if "reason" not in body:
            self._expect(self._next_asked(channel, Leave), f"{channel!r} ended without its wish and without a reason")
            return
        begun = run or self._next_asked(channel, Ask)  # a drop may come before what was asked for has begun
        self._expect(begun and channel in TEMPS and body["reason"] == "dropped",
                     f"{channel!r} ended, which nobody had dropped: {body}")
        self._expect(body.get("skipped", 1) > 0, f"{channel!r} was dropped with skipped {body.get('skipped')}")

    def _next_asked(self, channel, kind):
        """What it waits for first in this channel, if that is of this kind."""
        waiting = self._asked[channel]
        return waiting.pop(0) if waiting and isinstance(waiting[0], kind) else None
