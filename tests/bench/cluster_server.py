"""Relays on a Redis of their own, as one server for the benchmark: starts redis-server, the first relay as it is told to,
and the others beside it; says what the first one says when all are ready, and ends them at SIGTERM.

    cluster_server.py RELAYS DIRECTORY RELAY [OPTION...]
"""

import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "surroundings")]

from redis_process import Redis  # noqa: E402

PATIENCE = 10.0  # seconds for one to end


def end_all(processes):
    for process in processes:
        process.terminate()
    until = time.monotonic() + PATIENCE
    for process in processes:
        try:
            process.wait(max(until - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def elsewhere(command, directory, other):
    """The same relay with another runtime directory."""
    return [str(other) if word == str(directory) else word for word in command]


def main():
    relays, directory, command = int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    redis, processes, ready = Redis(), [], b""
    try:
        for number in range(relays):
            own = directory / f"relay-{number}"
            at = command if number == 0 else elsewhere(command, directory, own)
            processes.append(subprocess.Popen([*at, "--cluster", redis.url()], stdout=subprocess.PIPE,
                                              stdin=subprocess.DEVNULL))
            line = processes[-1].stdout.readline()
            ready = ready or line
        sys.stdout.buffer.write(ready)
        sys.stdout.buffer.flush()
        signal.pause()
    finally:
        end_all(processes)
        redis.dispose()


if __name__ == "__main__":
    main()
