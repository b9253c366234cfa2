"""docs/clusters.md, and what docs/operations.md says of clusters: what they tell the reader to type, from top to bottom."""

import json
import re
import shutil

import pytest

from readme import CLUSTERS, ROOT, blocks, commands

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="there is no redis-server")

TYPED = [line for text in blocks("sh", CLUSTERS) for line in text.splitlines()]
START = "scripts/run --cluster"


@pytest.fixture
def redis(reader):
    [command] = [line for line in TYPED if line.startswith("redis-server")]
    reader.environment["TMPDIR"] = reader.environment["SYNCRELAY_RUNTIME_DIR"]  # goes with the reader
    server = reader.starts(command)
    server.line_with("eady to accept connections")
    return server


def test_every_command_of_the_page_does_what_it_says(reader, redis):
    for line in TYPED:
        if line.startswith(START):
            reader.starts_relay(line, "8652" if "8652" in line else "8642")
        elif not line.startswith("redis-server"):
            assert reader.types(line)
    assert reader.types("build/syncrelay state radio").splitlines()[-1] == "null"
    health = [reader.types(f"curl -s http://localhost:{port}/health") for port in ("8642", "8652")]
    assert len({json.loads(text)["epoch"] for text in health}) == 1


def test_the_command_of_the_operations_page_starts_a_relay_of_a_cluster(reader, redis):
    [command] = [line for line in commands() if line.startswith(START)]
    relay = reader.starts_relay(command)
    assert json.loads(reader.types("curl -s http://localhost:8642/health"))["status"] == "ok"
    assert relay.stop() == 0


def test_the_user_of_the_page_may_do_what_relays_do_and_nothing_else(reader, redis):
    [line] = blocks("acl", CLUSTERS)
    assert reader.types(f"redis-cli -p 6379 {shell_words(line)}").strip() == "OK"
    url = "redis://syncrelay:change-me@127.0.0.1:6379"
    relays = []
    for options in ("", "--port 8652 --runtime-dir /tmp/syncrelay-b"):
        relays.append(reader.starts_relay(f"env SYNCRELAY_CLUSTER={url} scripts/run {options}", "8652" if options else "8642"))
    reader.types("build/syncrelay set radio 1")
    reader.types("build/syncrelay set radio 2 --runtime-dir /tmp/syncrelay-b")
    assert [relay.stop() for relay in relays] == [0, 0]
    assert reader.types("redis-cli -p 6379 ACL LOG").strip() == ""
    for refused in ("GET other", "FLUSHALL", "CONFIG GET dir", "KEYS x", "PUBLISH a b"):
        said = reader.types(f"redis-cli -p 6379 --user syncrelay --pass change-me --no-auth-warning {refused}")
        assert "NOPERM" in said or "no permissions" in said, said


def shell_words(line):
    return " ".join(f"'{word}'" for word in line.split())


def test_the_user_of_the_page_may_run_just_the_commands_that_the_relay_names():
    [line] = blocks("acl", CLUSTERS)
    allowed = {word[1:] for word in line.split() if word.startswith("+")}
    sources = [path.read_text() for path in (ROOT / "src/redis").glob("*.cpp")]
    in_scripts = {name.lower() for text in sources for name in re.findall(r"redis\.call\('([A-Z]+)'", text)}
    spoken = {name.lower() for text in sources for name in re.findall(r" = \{\"([A-Z]+)\", ", text)}
    assert len(in_scripts) > 20 and len(spoken) > 5
    # Who may say AUTH is not asked, and SENTINEL is said to others.
    spoken = spoken - {"auth", "sentinel", "script"} | {"script|load"}
    assert allowed == in_scripts | spoken


def test_the_options_that_have_to_be_the_same_are_those_that_the_relay_compares():
    source = (ROOT / "src/app/server_cluster.cpp").read_text()
    compared = re.findall(r"(?m)^ +(?:return \{)?\{\"([a-z-]+)\", ", source)
    [sentence] = re.findall(r"are the same at all relays\*\*: (.*?)\. A relay", CLUSTERS)
    assert re.findall(r"`--([a-z-]+)`", sentence) == compared
