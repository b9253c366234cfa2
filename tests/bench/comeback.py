"""What it costs when all clients come back at once, with tokens and without: the relay is killed and started again, and
each client goes on from its position. Prints one JSON object a kind: seconds until the last one has its first message,
and CPU seconds of the relay from its start to then.

    comeback.py --clients 5000 --kinds none ES256 RS256

A kind with `+sub` has a `sub` in each token, so that each client follows its personal channel, too. Each client has a
token of its own, which the relay has never seen. The relay is $SYNCRELAY_BINARY, else build/syncrelay.
"""

import argparse
import json
import pathlib
import re
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e")]

from clients import Clients, cpu_seconds  # noqa: E402
from pusher import Pusher  # noqa: E402
from relay_process import RelayProcess  # noqa: E402
from tokens import Issuer  # noqa: E402

PATIENCE = 60.0  # seconds
FIRST = re.compile(rb'"type":"sync:(full|resume)"')
POSITION = re.compile(rb'"seq":(\d+),"epoch":"(\w+)"')


def listen_for(clients, condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        clients.listen(0.02)
        if time.monotonic() > end:
            raise TimeoutError("not all have come back")


def first_position(port, fields):
    """Where a client stands that comes now."""
    heard = []
    clients = Clients(port, lambda _, data: heard.append(data))
    connection = clients.open(0, "", fields=fields)
    listen_for(clients, lambda: POSITION.search(b"".join(heard)))
    clients.close(connection, clean=True)
    seq, epoch = POSITION.search(b"".join(heard)).groups()
    return f"?epoch={epoch.decode()}&seq={seq.decode()}"


def come_back(relay, fields, query):
    """Returns how long it takes and what the relay needs for it, from its start on."""
    came = set()

    def hear(client, data):
        if FIRST.search(data):
            came.add(client)

    clients, begun = Clients(relay.port, hear), time.monotonic()
    connections = []
    for client, each in enumerate(fields):
        connections.append(clients.open(client, query, fields=each))
        if client % 100 == 0:
            clients.listen(0)
    listen_for(clients, lambda: len(came) == len(fields))
    result = {"seconds": round(time.monotonic() - begun, 2), "cpu_seconds": round(cpu_seconds(relay.pid), 2)}
    for connection in connections:
        clients.close(connection, clean=False)
    return result


def measure(kind, count, directory):
    algorithm, _, sub = kind.partition("+")
    options, fields = ["--data", directory / "data"], [""] * count
    if algorithm != "none":
        issuer = Issuer(algorithm)
        options += ["--token-key", issuer.key_file(directory / "key")]
        tokens = [issuer.token(jti=str(n), **({"sub": f"dev-{n}"} if sub else {})) for n in range(count)]
        fields = [f"Authorization: Bearer {token}\r\n" for token in tokens]
    relay = RelayProcess(*options, runtime_dir=directory)
    pusher = Pusher(relay.endpoint)
    for n in range(100):
        pusher.broadcast("step", n)
    pusher.hand_over()
    query = first_position(relay.port, fields[0])
    relay.kill()
    relay = RelayProcess(*options, "--port", relay.port, runtime_dir=directory)
    try:
        return {"kind": kind, "clients": count, **come_back(relay, fields, query)}
    finally:
        relay.dispose()


def main():
    parser = argparse.ArgumentParser(prog="comeback.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=5000)
    parser.add_argument("--kinds", nargs="+", default=["none", "HS256", "ES256", "ES256+sub", "RS256", "EdDSA"])
    options = parser.parse_args()
    for kind in options.kinds:
        with tempfile.TemporaryDirectory(prefix="syncrelay-comeback-") as directory:
            print(json.dumps(measure(kind, options.clients, pathlib.Path(directory))), flush=True)


if __name__ == "__main__":
    main()
