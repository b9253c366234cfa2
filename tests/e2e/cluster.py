"""What tests of several relays have in common."""

import contextlib
import http.client

from deadline import wait_until

BEGINS_ANEW = 3  # exit code of a relay that a supervisor is to start again
BELIEVING = ("--anonymous-identity", "--open-channels", "*", "--presence", "*",
             "--presence-grace", "100ms", "--presence-grace-closed", "0ms")
OPEN = ("--open-channels", "*")


def state(peer, **channel):
    """Without the keys that are null, as configured ones are at first."""
    told = peer.confirm({"op": "state", **channel})["state"]
    return {key: value for key, value in told.items() if value is not None}


def people(peer, channel=""):
    return set(peer.confirm({"op": "members", "channel": channel})["members"])


def texts(client, kind):
    return [told.message.text for told in client.told if told.type == kind]


def data(client, kind):
    return [told.body["data"] for told in client.told if told.type == kind]


def epoch_of(relay):
    """None while it says none."""
    with contextlib.suppress(OSError, AssertionError, http.client.HTTPException):
        return relay.health()["epoch"]
    return None


def under_new_epochs(relays, old, join, *options, **how):
    """The relays, by name, as soon as all are under one epoch that is not `old`; those that have ended are started again."""
    relays = dict(relays)

    def look():
        for name, relay in relays.items():
            if relay.exit_code() is not None:
                assert relay.exit_code() == BEGINS_ANEW, relay.log()
                relays[name] = join(name, *options, **how)
        epochs = {epoch_of(relay) for relay in relays.values()}
        return len(epochs) == 1 and epochs.isdisjoint({None, old})

    wait_until(look, lambda: "one new epoch\n" + "\n".join(relay.log() for relay in relays.values()))
    return list(relays.values())


def unavailable(answer):
    return not answer["ok"] and answer["error"]["code"] == "cluster_unavailable"
