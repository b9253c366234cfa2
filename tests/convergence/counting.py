"""A counter that several backends add to by compare-and-set."""

import copy

from commands import COUNT, increment_in


class Counting:
    """What one backend knows of the counters: version and value, as the last answer told, or nothing at all."""

    def __init__(self):
        self._known = {}  # channel to (version, n)

    def filled(self, made):
        """The command with what its increment adds to, where there is one in it."""
        if increment_in(made) is None:
            return made
        made = copy.deepcopy(made)
        increment = increment_in(made)
        version, n = self._known.get(increment.get("channel", ""), (0, 0))
        increment["if"] = {COUNT: version}
        increment["value"]["n"] = n + 1
        return made

    def learn(self, sent, answer):
        """Takes in the answer to what was sent; returns whether it must be tried anew."""
        increment = increment_in(sent)
        if increment is None:
            return False
        channel = increment.get("channel", "")
        if is_conflict(answer):
            current = answer["error"]["current"][COUNT]
            self._known[channel] = current["version"], current.get("value", {"n": 0})["n"]
            return True
        versions = answer.get("results", [answer])[-1].get("versions")
        if versions:
            self._known[channel] = versions[COUNT], increment["value"]["n"]
        return False


def is_conflict(answer):
    return not answer["ok"] and answer["error"]["code"] == "conflict"


def is_unknown(answer):
    """Nobody knows what becomes of it: only relays of a cluster say so, and only one that is sent again will tell."""
    return not answer["ok"] and answer["error"]["code"] == "cluster_unavailable"


def is_final(made, answer):
    """Whether it ends the command: a conflict does not end an increment."""
    return not (is_unknown(answer) or (increment_in(made) and is_conflict(answer)))
