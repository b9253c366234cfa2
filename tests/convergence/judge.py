"""Holds what a run left against the model. Every finding is one sentence; none means that all promises were kept."""

from collections import defaultdict

from commands import ROOMS, TEMPS, backend_of, command, number_of
from confirmed import Confirmed
from fold import apply_message
from leases import LEASE, Leases
from listener import Ask, Leave
from model import Model
from one_log import OneLog
from one_order import OneOrder
from plan import BACKENDS
from pushed import Pushed, lives
from whole_steps import WholeSteps

KEPT = ("", *ROOMS)


def loud(state):
    """The state without the keys that change without an event."""
    return {key: value for key, value in state.items() if not key.startswith("quiet:")}


class Judge:
    def __init__(self, record):
        self._record = record
        self._plan = record.plan
        self._log = OneLog(self._plan.forgets, self._plan.small_window)
        self._commands = {}
        self._confirmed = Confirmed(self._log, record, self._made)
        self._pushed = Pushed(self._log, record, self._made)

    def findings_of_all(self):
        for name, visits in self._record.followers.items():
            for script in visits:
                self._log.add(name, script)
        self._log.add("a new client", self._record.fresh)
        self._log.add("a client from 0", self._record.whole)
        self._confirmed.read()
        self._check_whole()
        self._check_states()
        self._check_final_states()
        self._check_leases()
        self._confirmed.check()
        self._pushed.check()
        self._check_steps()
        self._check_order()
        return self._log.findings

    def _made(self, name, number):
        if (name, number) not in self._commands:
            self._commands[name, number] = command(self._plan.seed, name, number, BACKENDS[name])
        return self._commands[name, number]

    def _command_of(self, name):
        return self._made(backend_of(name), number_of(name))

    def _expect(self, condition, finding):
        self._log.expect(condition, finding)

    @property
    def _is_whole(self):
        """Whether every event of the last epoch was seen: those of channels that are never dropped."""
        return not self._plan.small_window

    def _check_whole(self):
        """Where the window holds it, the log is whole from its first event on."""
        for entry in self._record.whole:
            if self._is_whole and not isinstance(entry, Ask) and entry.channel in KEPT:
                self._expect(entry.type != "sync:full", f"resuming {entry.channel!r} from 0 gave a snapshot")

    # The state.

    def _known(self, log):
        """seq to message: what was seen, and what nobody saw and was confirmed."""
        seen = {seq: message.body for seq, message in self._log.events[log].items()}
        return self._confirmed.effects[log] | seen

    def _check_states(self):
        for log, snapshots in self._log.snapshots.items():
            model = Model(log[0], self._known(log))
            for message in sorted(snapshots, key=lambda m: (m.seq, m.body["ts"])):
                expected = model.state_at(message.seq)
                if expected is None:
                    self._expect(not self._is_whole or self._plan.forgets or log[0] in TEMPS,
                                 f"nobody saw all events up to {message.seq} of {log}")
                    model.adopt(message.seq, loud(message.data))
                else:
                    self._expect(loud(message.data) == expected, f"the snapshot at {message.seq} of {log} is not "
                                 f"the state behind that event: {str(message.data)[:300]}, not {str(expected)[:300]}")

    def _check_final_states(self):
        final = {channel: told["state"] for channel, told in self._record.final.items()}
        fresh = {entry.channel: entry.body["data"] for entry in self._record.fresh if not isinstance(entry, Ask)}
        for channel, told in self._record.final.items():
            self._expect(fresh[channel] == final[channel], f"a new client's snapshot of {channel!r} is not its state")
            expected = Model(channel, self._known((channel, told["epoch"]))).state_at(told["seq"])
            if self._is_whole and channel in KEPT:
                self._expect(expected == loud(final[channel]),
                             f"the final state of {channel!r} is not the model's: {str(final[channel])[:300]}")
            left = [key for key, value in final[channel].items() if LEASE in key and value is not None]
            self._expect(not left, f"outlived their ttl in {channel!r}: {left}")
        for name, visits in self._record.followers.items():
            for channel, state in self._replicas(visits).items():
                self._expect(loud(state) == loud(final[channel]),
                             f"{name} ended with another state of {channel!r}: {str(state)[:300]}")

    @staticmethod
    def _replicas(visits):
        """What a client makes of all that it got, over all its connections, of the channels that it follows at the end."""
        states, followed = defaultdict(dict), set()
        for script in visits:
            followed = set()
            for entry in script:
                if isinstance(entry, (Ask, Leave)):
                    continue
                if entry.type == "sync:unsubscribed":
                    followed.discard(entry.channel)
                    continue
                followed.add(entry.channel)
                if entry.type != "sync:resume":
                    states[entry.channel] = apply_message(states[entry.channel], entry.body)
        return {channel: states[channel] for channel in followed}

    def _check_leases(self):
        clock_is_true = not any("jump clock" in fault for fault in self._record.faults)
        for log, events in self._log.events.items():
            Leases(self._log, log, clock_is_true, self._command_of).check(events)

    # What goes over several channels.

    def _last_epochs(self):
        return {told["epoch"] for told in self._record.final.values()}

    def _check_steps(self):
        steps = WholeSteps(self._log, self._command_of)
        for name, flow in self._log.flows:
            steps.check_flow(name, flow)
        steps.check_log(self._last_epochs() if self._is_whole else ())

    def _check_order(self):
        order = OneOrder(self._log.events)
        for name, flow in self._log.flows:
            order.add_flow(name, flow)
        for name, style in BACKENDS.items():
            made = {n: one for (who, n), one in self._commands.items() if who == name}
            for numbers in self._in_order(name, style, made):
                order.add_sender(f"backend {name}", {n: made[n] for n in made if n in numbers}, self._log.events)
        circle = order.circle()
        self._expect(not circle, f"there is no one order; each of these comes before the next, as is said by: {circle[:10]}")

    def _in_order(self, name, style, made):
        """The numbers of commands that must take effect in the order of their numbers."""
        if style == "sequential":
            return [made]
        return lives(self._record.journals[name]) if style == "pushed" else []


def findings(record):
    return Judge(record).findings_of_all()
