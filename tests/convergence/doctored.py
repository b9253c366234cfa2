"""What the judge's own tests do to a true record: each spoils it in one way."""

import dataclasses
import json
import pickle

import people
from channel_client import Told
from commands import CHANNELS, OPEN_CHANNELS, TEMPS, command, increment_in, is_quiet, tag_of
from history import Message
from judge import findings
from plan import BACKENDS, STATE_KEYS, Fault, Plan

FOLLOWED = (("",), CHANNELS[:8], CHANNELS[4:], ("room:3", "", "temp:0"))
QUIET_PLAN = Plan(7, OPEN_CHANNELS + STATE_KEYS + people.OPTIONS + people.LIST_OPTIONS, "always", False, False,
                  (Fault(500, "cut link", 0), Fault(500, "drop client", 1, False)), FOLLOWED)


def with_clients(recorded, names):
    """A copy of the record, as if only these clients had been looked at."""
    followers = {name: recorded.followers[name] for name in names}
    return pickle.loads(pickle.dumps(dataclasses.replace(recorded, followers=followers)))


def rewritten(told, **members):
    body = {**told.body, **members}
    return Told(told.channel, Message(json.dumps(body), body, told.message.arrived))


def scripts(record):
    return [*(script for visits in record.followers.values() for script in visits), record.fresh, record.whole]


def everywhere(record, change):
    """Applies change(told) to everything that anybody was told."""
    for script in scripts(record):
        script[:] = [change(entry) if isinstance(entry, Told) else entry for entry in script]


def rewrite_everywhere(record, where, **members):
    """`where` is one that was told: everybody else was told the same there."""
    everywhere(record, lambda t: rewritten(t, **members) if t.channel == where.channel and is_event(t)
               and t.message.seq == where.message.seq else t)


def is_event(entry):
    return isinstance(entry, Told) and entry.type != "sync:unsubscribed" and entry.message.is_event


def witness(record):
    return record.followers["witness"][-1]


def index_of(script, fits):
    return next(index for index, entry in enumerate(script) if isinstance(entry, Told) and fits(entry))


def spoil(script, fits, **members):
    index = index_of(script, fits)
    script[index] = rewritten(script[index], **members)
    return script[index]


def append(script, *entries):
    """Behind all else: (channel, body) is what was told."""
    for entry in entries:
        if isinstance(entry, tuple):
            channel, body = entry
            entry = Told(channel, Message(json.dumps(body), body, 0.0))
        script.append(entry)


def event(script, name=None, channel=None):
    """The first `app:event`, of a backend or a channel."""
    return script[index_of(script, lambda t: t.type == "app:event" and (channel is None or t.channel == channel)
                           and (name is None or tag_of(t.body).startswith(name)))]


def neighbours(script, fits):
    """The index of the first event that fits together with the one behind it."""
    return next(i for i in range(len(script) - 1)
                if is_event(script[i]) and is_event(script[i + 1]) and fits(script[i], script[i + 1]))


def unit(told):
    name = tag_of(told.body)
    return name and name.split("/")[0]


def are_of_one_batch(first, second):
    return unit(first) and unit(first) == unit(second)


def line_of(record, backend, fits):
    """A line of its journal whose command and answer fit."""
    return next(line for line in record.journals[backend]
                if fits(made_by(record, backend, line["n"]), line["answer"]))


def made_by(record, backend, number):
    return command(record.plan.seed, backend, number, BACKENDS[backend])


def is_loud(made, answer):
    return answer["ok"] and made["op"] in ("set", "merge", "broadcast") and not is_quiet(made) \
        and made.get("channel", "") not in TEMPS and not increment_in(made) and "duplicate" not in answer


def expect(record, words):
    found = findings(record)
    assert any(words in finding for finding in found), found
