"""Includes point only in the direction that docs/architecture.md draws."""

from pathlib import Path

import pytest

from project import ROOT, files_under
from rooms import ROOMS, Include, fault, includes_of, room_of

SOURCES = files_under("include", "src", suffixes=(".h", ".cpp"))


def test_the_table_names_every_room():
    assert set(ROOMS) == {room_of(path) for path in SOURCES} - {None}


def test_every_include_goes_in_an_allowed_direction():
    faults = [
        found for path in SOURCES for include in includes_of(path, (ROOT / path).read_text())
        if (found := fault(include))
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("path, line", [
    ("src/shard/session.cpp", '#include "syncrelay/relay/relay.h"'),
    ("src/relay/relay.cpp", '#include "syncrelay/shard/shard.h"'),
    ("src/channel/replica.cpp", '#include "syncrelay/ws/server.h"'),
    ("src/base/clock.cpp", '#include "syncrelay/protocol/limits.h"'),
    ("include/syncrelay/ws/server.h", "#include <libwebsockets.h>"),
    ("include/syncrelay/base/log.h", "#include <spdlog/spdlog.h>"),
    ("src/base/clock.cpp", "#include <spdlog/spdlog.h>"),
    ("src/relay/relay.cpp", "#include <rapidjson/reader.h>"),
    ("src/protocol/command_decoder.cpp", "#include <rapidjson/reader.h>"),
    ("src/ws/server.cpp", "#include <boost/asio.hpp>"),
])
def test_a_forbidden_include_is_found(path, line):
    [include] = includes_of(Path(path), line)
    assert fault(include)


@pytest.mark.parametrize("path, line", [
    ("src/main.cpp", '#include "syncrelay/ws/server.h"'),
    ("src/ws/server.cpp", '#include "server_loop.h"'),
    ("src/ws/server.cpp", "#include <libwebsockets.h>"),
    ("src/ws/server.cpp", "#include <sys/socket.h>"),
    ("src/base/log.cpp", "#include <spdlog/spdlog.h>"),
    ("include/syncrelay/channel/replica.h", "#include <unordered_map>"),
])
def test_an_allowed_include_passes(path, line):
    assert includes_of(Path(path), line) == [
        Include(Path(path), line.split()[1].strip('<>"'), '"' in line)
    ]
    assert fault(includes_of(Path(path), line)[0]) is None
