"""Where the relay listens: the rule that the relay and this client share, and why it cannot be reached."""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import socket
import stat
from contextlib import closing
from typing import Any, Mapping

from .errors import InvalidEndpoint
from .threads import real_socket

_IPC = "ipc://"
_CLIENTS = ("http://", "https://", "ws://", "wss://")
_MAX_IPC_PATH = 107  # bytes; sockaddr_un on Linux
_TCP = re.compile(r"tcp://(?P<host>[^/\s]+):(?P<port>\d{1,5})\Z")


def default_endpoint(environ: Mapping[str, str] | None = None) -> str:
    """``$SYNCRELAY_COMMANDS``, else ``commands.sock`` in the runtime directory.

    The relay reads the same variables (empty means unset), so neither side needs configuring on one machine.
    ``SYNCRELAY_COMMANDS`` may list several endpoints, separated by commas; the client connects to the first.
    """
    env = os.environ if environ is None else environ
    listed = env.get("SYNCRELAY_COMMANDS", "")
    return listed.split(",")[0].strip() if listed else _in_runtime_dir("commands.sock", env)


def default_control(endpoint: str | None, environ: Mapping[str, str] | None = None) -> str | None:
    """Where the relay that takes commands at ``endpoint`` answers (None: the endpoint is the default one), or None where
    only the caller can know. It is never guessed: the guess could lead to another relay than the endpoint.

    For the path of a socket it is ``control.sock`` beside it; for the endpoint that the environment names,
    ``$SYNCRELAY_CONTROL``; for the one in the runtime directory, ``$SYNCRELAY_CONTROL``, else ``control.sock`` there.
    """
    env = os.environ if environ is None else environ
    listed = env.get("SYNCRELAY_COMMANDS", "")
    if endpoint is not None and endpoint.startswith(f"{_IPC}/"):
        return f"{endpoint.rpartition('/')[0]}/control.sock"
    if endpoint is not None and listed and endpoint != default_endpoint(env):
        return None  # the environment speaks of another relay
    given = env.get("SYNCRELAY_CONTROL", "")
    if given:
        return given
    in_runtime_dir = _in_runtime_dir("commands.sock", env)
    if (endpoint or default_endpoint(env)) == in_runtime_dir:
        return _in_runtime_dir("control.sock", env)
    return None


def no_control(endpoint: str, who: str = "confirmed commands and queries need") -> InvalidEndpoint:
    """For what needs an answer, where nobody said who gives it."""
    return InvalidEndpoint(
        f"{who} the control endpoint of the relay at {endpoint}, and nothing says which that "
        "is: give the relay --control ENDPOINT, and the same to Relay(control=…) or $SYNCRELAY_CONTROL"
    )


def as_endpoint(given: str | os.PathLike[str]) -> str:
    """The path of a socket may be given as a path, too. Raises InvalidEndpoint for what is neither."""
    if isinstance(given, str):
        return given
    path = os.fspath(given) if isinstance(given, os.PathLike) else None
    if not isinstance(path, str):
        raise InvalidEndpoint(f"{given!r} is a {type(given).__name__}; an endpoint is 'ipc://PATH', 'tcp://HOST:PORT' or a Path")
    return f"{_IPC}{os.path.abspath(path)}"


def refuse_control_socket(endpoint: str, control: str | None) -> None:
    """The likely slip: commands pushed to where the relay answers would wait for ever."""
    if endpoint == control or (endpoint.startswith(_IPC) and endpoint.endswith("/control.sock")):
        raise InvalidEndpoint(
            f"{endpoint!r} is the relay's control socket, which takes no pushed commands: give the one of --commands "
            "(commands.sock beside it); the client finds the control socket by itself, or takes it as control="
        )


def check_endpoint(endpoint: str) -> str:
    """Returns ``endpoint`` when ZeroMQ can connect to it, else raises InvalidEndpoint."""
    if endpoint.startswith(_IPC):
        _check_ipc_path(endpoint[len(_IPC) :])
        return endpoint
    if endpoint.startswith(_CLIENTS):
        raise InvalidEndpoint(
            f"{endpoint!r} is where browsers connect (the relay's --port); backends push to the relay's --commands: leave "
            "the endpoint out on the same machine, or give ipc://PATH or tcp://HOST:PORT as the relay's --commands has it"
        )
    match = _TCP.match(endpoint)
    if match is None:
        raise InvalidEndpoint(f"{endpoint!r} is neither ipc://PATH nor tcp://HOST:PORT")
    if match["host"] == "*" or not 0 < int(match["port"]) < 65536:
        raise InvalidEndpoint(f"{endpoint!r} can be bound but not connected to: name a host and a port from 1 to 65535")
    return endpoint


def why_unreachable(endpoint: str) -> str:
    """What stands between this process and the relay, as far as the file system and an attempt to connect tell."""
    path = endpoint[len(_IPC) :]
    if not endpoint.startswith(_IPC):
        return _why_not_tcp(endpoint)
    if path.startswith("@"):
        return _why_not_unix("\0" + path[1:])
    try:
        mode = os.stat(path)
    except PermissionError:
        return f"permission denied: {_whoami()} may not search the directories above it"
    except OSError:
        return "no socket file there (is the relay running, with the same SYNCRELAY_RUNTIME_DIR?)"
    if not stat.S_ISSOCK(mode.st_mode):
        return "that file is not a socket"
    if not _may_write(path):
        return f"permission denied: {stat.filemode(mode.st_mode)} {mode.st_uid}:{mode.st_gid}, but this is {_whoami()}"
    return _why_not_unix(path)


def _why_not_unix(path: str) -> str:
    with closing(real_socket(socket.AF_UNIX)) as probe:
        return _why_not(probe, path)


def _why_not_tcp(endpoint: str) -> str:
    """Asks no name server, which could take its time."""
    match = _TCP.match(endpoint)
    try:
        address = ipaddress.ip_address(match["host"].strip("[]")) if match else None
    except ValueError:
        address = None
    if match is None or address is None:
        return "nothing answers there (is the relay running?)"
    with closing(real_socket(socket.AF_INET if address.version == 4 else socket.AF_INET6)) as probe:
        return _why_not(probe, (str(address), int(match["port"])))


def _why_not(probe: Any, address: object) -> str:
    """Connects and says nothing; never waits."""
    probe.setblocking(False)
    result = probe.connect_ex(address)
    if result == errno.EINPROGRESS:
        result = probe.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or probe.connect_ex(address)
    if result == errno.ECONNREFUSED:
        return "connection refused (nobody listens there: is the relay running?)"
    if result == errno.EAGAIN:
        return "somebody listens there, but does not accept connections (does the relay hang?)"
    if result in (errno.EINPROGRESS, errno.EALREADY):
        return "nothing answers there (is the relay running?)"
    if result not in (0, errno.EISCONN):
        return f"cannot connect: {os.strerror(result)}"
    return "somebody listens there, but has not spoken yet (the relay hangs, is busy, or has taken as many as it may)"


def _in_runtime_dir(name: str, environ: Mapping[str, str]) -> str:
    directory = environ.get("SYNCRELAY_RUNTIME_DIR", "") or _own_directory()
    return f"{_IPC}{directory.rstrip('/')}/{name}"


def _own_directory() -> str:
    """/tmp is everybody's: made 0700 before first use, and never taken from somebody else."""
    uid = os.geteuid()
    directory = f"/tmp/syncrelay-{uid}"
    try:
        os.mkdir(directory, 0o700)
    except FileExistsError:
        pass
    found = os.lstat(directory)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
        raise InvalidEndpoint(
            f"{directory} is not a directory of uid {uid} (it belongs to uid {found.st_uid}): refused; "
            "set SYNCRELAY_RUNTIME_DIR for the relay and the backend"
        )
    return directory


def _check_ipc_path(path: str) -> None:
    size = len(os.fsencode(path))
    if not path or size > _MAX_IPC_PATH:
        raise InvalidEndpoint(f"ipc path {path!r} has {size} bytes; 1 to {_MAX_IPC_PATH} are possible")


def _may_write(path: str) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _whoami() -> str:
    groups = ",".join(map(str, sorted({os.getegid(), *os.getgroups()})))
    return f"uid {os.geteuid()}, groups {groups}"
