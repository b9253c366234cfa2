"""Holds what a run left against the model. Every finding is one sentence; none means that all promises were kept."""

from collections import defaultdict

from attendance import Attendance, list_of
from commands import ROOMS, TEMPS, backend_of, command, number_of
from confirmed import Confirmed
from deliveries import Deliveries
from fold import MEMBER_EVENTS, apply_member_event, apply_message
from leases import LEASE, Leases
from listener import Ask, Leave
from model import Model
from one_log import OneLog
from one_order import OneOrder
from people import LIST_KEY, PLACES
from plan import BACKENDS
from pushed import Pushed, lives
from whole_steps import WholeSteps
from wills import Wills

KEPT = ("", *ROOMS)


def loud(state):
    """The state without the keys that change without an event."""
    return {key: value for key, value in state.items() if not key.startswith("quiet:")}


def replica_of_people(people, event):
    """A client's members behind an event; what could not be is found by the model."""
    try:
        return apply_member_event(people, event)
    except AssertionError:
        return people


class Judge:
    def __init__(self, record):
        self._record = record
        self._plan = record.plan
        self._log = OneLog(self._plan.forgets, self._plan.small_window, self._plan.lags)
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
        self._check_members()
        self._check_leases()
        self._check_company()
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

    @property
    def _clock_is_true(self):
        return not any("jump clock" in fault for fault in self._record.faults)

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

    def _model(self, log):
        first = {LIST_KEY: []} if self._plan.lists and not log[0] else None
        return Model(log[0], self._known(log), first)

    def _check_states(self):
        for log, snapshots in self._log.snapshots.items():
            model = self._model(log)
            for message in sorted(snapshots, key=lambda m: (m.seq, m.body["ts"])):
                expected = model.state_at(message.seq)
                if expected is None:
                    self._expect(not self._is_whole or self._plan.forgets or log[0] in TEMPS,
                                 f"nobody saw all events up to {message.seq} of {log}")
                    model.adopt(message.seq, loud(message.data), message.body.get("members", {}))
                else:
                    self._expect(loud(message.data) == expected, f"the snapshot at {message.seq} of {log} is not "
                                 f"the state behind that event: {str(message.data)[:300]}, not {str(expected)[:300]}")
                    self._check_people(f"the snapshot at {message.seq} of {log}", log[0], message.body.get("members"),
                                       model.people)
            model.state_at(max(self._log.events[log], default=0))
            self._expect(not model.faults, f"members came, changed or left who could not, in {log}: {model.faults[:3]}")

    def _check_final_states(self):
        final = {channel: told["state"] for channel, told in self._record.final.items()}
        fresh = {entry.channel: entry.body["data"] for entry in self._record.fresh if not isinstance(entry, Ask)}
        for channel, told in self._record.final.items():
            self._expect(fresh[channel] == final[channel], f"a new client's snapshot of {channel!r} is not its state")
            expected = self._model((channel, told["epoch"])).state_at(told["seq"])
            if self._is_whole and channel in KEPT:
                self._expect(expected == loud(final[channel]),
                             f"the final state of {channel!r} is not the model's: {str(final[channel])[:300]}")
            left = [key for key, value in final[channel].items() if LEASE in key and value is not None]
            self._expect(not left, f"outlived their ttl in {channel!r}: {left}")
        for name, visits in self._record.followers.items():
            if name not in self._record.company.departed:
                for channel, (state, people) in self._replicas(visits).items():
                    self._check_replica(name, channel, state, people)

    def _check_replica(self, name, channel, state, people):
        if channel in self._record.final:  # a personal channel is not
            self._expect(loud(state) == loud(self._record.final[channel]["state"]),
                         f"{name} ended with another state of {channel!r}: {str(state)[:300]}")
            self._check_people(f"{name}, at the end of {channel!r},", channel, people if channel in PLACES else None,
                               self._record.company.members.get(channel))

    @staticmethod
    def _replicas(visits):
        """What a client makes of all that it got, over all its connections, of the channels that it follows at the end:
        state and members."""
        states, people, followed = defaultdict(dict), defaultdict(dict), set()
        for script in visits:
            followed = set()
            for entry in script:
                if isinstance(entry, (Ask, Leave)):
                    continue
                if entry.type == "sync:unsubscribed":
                    followed.discard(entry.channel)
                    continue
                followed.add(entry.channel)
                if entry.type == "sync:full":
                    people[entry.channel] = entry.body.get("members", {})
                elif entry.type in MEMBER_EVENTS:
                    people[entry.channel] = replica_of_people(people[entry.channel], entry.body)
                if entry.type != "sync:resume":
                    states[entry.channel] = apply_message(states[entry.channel], entry.body)
        return {channel: (states[channel], people[channel]) for channel in followed}

    # The members.

    def _check_people(self, what, channel, people, expected):
        """`people` is None where none are kept."""
        self._expect((people is not None) == (channel in PLACES),
                     f"{what} has members, or has none, and should not: {str(people)[:200]}")
        self._expect(people is None or people == expected,
                     f"{what} has other members: {str(people)[:200]}, not {str(expected)[:200]}")

    def _check_members(self):
        """What the relay tells at the end is the model's, the list in the state, too."""
        for channel, people in self._record.company.members.items():
            told = self._record.final[channel]
            model = self._model((channel, told["epoch"]))
            if model.state_at(told["seq"]) is not None:
                self._check_people(f"the query for members of {channel!r}", channel, people, model.people)
            else:
                self._expect(not self._is_whole or channel not in KEPT, f"nobody saw all of {channel!r}")
        if self._plan.lists:
            listed, expected = self._record.final[""]["state"].get(LIST_KEY), list_of(self._record.company.members[""])
            self._expect(listed == expected, f"the list of members is {str(listed)[:200]}, not {str(expected)[:200]}")

    def _check_company(self):
        company = self._record.company
        Attendance(self._log, company, self._plan.lists, self._clock_is_true).check(self._log.events, self._log.flows)
        known = {log: self._known(log) for log in {*self._log.events, *self._confirmed.effects}}
        Wills(self._log, self._plan.seed, company.wills).check(known, self._is_whole and not self._plan.forgets)
        Deliveries(self._log, self._record).check()

    def _check_leases(self):
        for log, events in self._log.events.items():
            Leases(self._log, log, self._clock_is_true, self._command_of).check(events)

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
