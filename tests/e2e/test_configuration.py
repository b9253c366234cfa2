"""Where settings come from: flags, environment, file, default."""

import re

import pytest

from deadline import until
from relay_process import run_relay

OPTIONS = {
    "host", "port", "admin", "commands", "state-key", "runtime-dir", "log-bytes", "log-events", "stall-timeout",
    "ping-interval", "ping-timeout", "json-ping-interval", "allow-origin", "max-clients", "max-clients-per-address",
    "max-client-message", "max-command", "max-state", "allow-remote-commands", "ipc-mode", "ipc-group",
    "drain-timeout", "shards", "log-format", "open-channels", "max-channels", "max-subscriptions"}


@pytest.fixture
def write_config(runtime_dir):
    def write(text):
        path = runtime_dir / "relay.toml"
        path.write_text(text)
        return path
    return write


def setting(runtime_dir, name, *arguments, env=None):
    """The line of --print-config about one option."""
    ended = run_relay("--print-config", *arguments, runtime_dir=runtime_dir, env=env)
    assert ended.returncode == 0, ended.stderr
    lines = [line for line in ended.stdout.splitlines() if line.startswith(name + " = ")]
    assert len(lines) == 1, ended.stdout
    return lines[0]


def test_flag_before_environment_before_file_before_default(runtime_dir, write_config):
    path = write_config("log-events = 3003\n")
    flag, env = ("--log-events", "1001"), {"SYNCRELAY_LOG_EVENTS": "2002"}
    config = ("--config", path)
    cases = [((*flag, *config), env, "1001", "--log-events"),
             (config, env, "2002", "SYNCRELAY_LOG_EVENTS"), (config, None, "3003", "relay.toml"),
             ((), None, "100000", "default")]
    for arguments, environment, value, source in cases:
        line = setting(runtime_dir, "log-events", *arguments, env=environment)
        shown, _, origin = line.partition("#")
        assert value in shown and source in origin, line


def test_an_empty_variable_counts_as_unset(runtime_dir):
    line = setting(runtime_dir, "log-events", env={"SYNCRELAY_LOG_EVENTS": ""})
    assert "100000" in line and "default" in line


@pytest.mark.parametrize("text,same", [("16777216", "16MiB"), ("65536", "64KiB"), ("1073741824", "1GiB")])
def test_sizes_take_units(runtime_dir, text, same):
    option = "--log-bytes"
    assert setting(runtime_dir, "log-bytes", option, text) == setting(runtime_dir, "log-bytes", option, same)


@pytest.mark.parametrize("text,same", [("20", "20s"), ("2s", "2000ms"), ("300s", "5m")])
def test_durations_take_units(runtime_dir, text, same):
    assert (setting(runtime_dir, "stall-timeout", "--stall-timeout", text)
            == setting(runtime_dir, "stall-timeout", "--stall-timeout", same))


def test_print_config_shows_every_option_of_the_contract_and_starts_nothing(runtime_dir):
    ended = run_relay("--print-config", runtime_dir=runtime_dir)
    assert ended.returncode == 0
    printed = set(re.findall(r"^([\w-]+) = .*# \S+", ended.stdout, re.MULTILINE))
    assert OPTIONS <= printed, OPTIONS - printed
    assert not (runtime_dir / "commands.sock").exists()


@pytest.mark.parametrize("name,default", [
    ("host", r"0\.0\.0\.0"), ("port", "8642"), ("log-bytes", "16777216|16 ?MiB"), ("log-events", "100000"),
    ("stall-timeout", r"60|1 ?m"), ("ping-interval", "20"), ("ping-timeout", "20"), ("json-ping-interval", r"\b0"),
    ("max-clients", "10000"), ("max-clients-per-address", r"\b0"), ("max-client-message", "65536|64 ?KiB"),
    ("max-command", "16777216|16 ?MiB"), ("max-state", "268435456|256 ?MiB"), ("ipc-mode", "0660"),
    ("drain-timeout", r"\b5"), ("open-channels", r"\[\]"), ("max-channels", "100000"), ("max-subscriptions", "128")])
def test_the_defaults_are_the_contracts(runtime_dir, name, default):
    line = setting(runtime_dir, name)
    assert re.search(default, line) and "default" in line, line


async def test_a_setting_from_the_file_takes_effect(start_relay, connect, write_config):
    relay = start_relay("--config", write_config('state-key = ["one", "two"]\n'))
    assert (await connect(relay)).first.data == {"one": None, "two": None}


async def test_a_setting_from_the_environment_takes_effect(start_relay, connect):
    relay = start_relay(env={"SYNCRELAY_STATE_KEY": "solo"})
    assert (await connect(relay)).first.data == {"solo": None}


@pytest.mark.parametrize("typo,nearest", [("--log-byte", "--log-bytes"), ("--max-client", "--max-clients"),
                                          ("--ping-intervall", "--ping-interval"), ("--prot", "--port")])
def test_an_unknown_option_is_named_with_its_nearest(runtime_dir, typo, nearest):
    ended = run_relay(typo, "1", runtime_dir=runtime_dir)
    assert ended.returncode == 2
    line = ended.stderr.strip().splitlines()[-1]
    assert typo in line and nearest in line.replace(typo + "'", "").replace(typo + " ", ""), line


def test_an_unknown_key_in_the_file_is_named_with_its_nearest(runtime_dir, write_config):
    ended = run_relay("--config", write_config("log-bites = 1\n"), runtime_dir=runtime_dir)
    assert ended.returncode == 2
    line = ended.stderr.strip().splitlines()[-1]
    assert "log-bites" in line and "log-bytes" in line


async def test_an_unknown_variable_is_a_warning(start_relay):
    relay = start_relay(env={"SYNCRELAY_LOG_BITES": "1"})
    await until(lambda: "SYNCRELAY_LOG_BITES" in relay.log(), "the log names the variable")
    assert relay.health()["status"] == "ok"


@pytest.mark.parametrize("arguments", [("--print-config",), ("healthcheck",), ("state", "--timeout", "100ms"),
                                       ("backup", "copy", "--timeout", "100ms")], ids=" ".join)
def test_whatever_is_run_warns_of_an_unknown_variable(runtime_dir, arguments):
    ended = run_relay(*arguments, runtime_dir=runtime_dir, env={"SYNCRELAY_LOG_BITES": "1", "SYNCRELAY_PORT": "1"})
    warning = ended.stderr.splitlines()[0]
    assert warning.startswith("syncrelay: warning: ") and "SYNCRELAY_LOG_BITES" in warning, ended.stderr
    assert "SYNCRELAY_LOG_BYTES" in warning and "LOG_BITES" not in ended.stdout


@pytest.mark.parametrize("text", ["log-events = [", "log-events = \"many\"", "= 1", "log-events = 1\nlog-events = 2"])
def test_a_broken_file_is_exit_code_2_and_named(runtime_dir, write_config, text):
    ended = run_relay("--config", write_config(text), runtime_dir=runtime_dir)
    assert ended.returncode == 2
    assert "relay.toml" in ended.stderr.strip().splitlines()[-1]


def test_a_file_that_is_not_there_is_exit_code_2_and_named(runtime_dir):
    ended = run_relay("--config", runtime_dir / "missing.toml", runtime_dir=runtime_dir)
    assert ended.returncode == 2
    assert "missing.toml" in ended.stderr.strip().splitlines()[-1]


def test_a_bad_value_from_the_environment_names_the_variable(runtime_dir):
    ended = run_relay(runtime_dir=runtime_dir, env={"SYNCRELAY_PORT": "http"})
    assert ended.returncode == 2
    assert "SYNCRELAY_PORT" in ended.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("shards", [1, 2, 5])
async def test_clients_of_all_shards_see_the_same(start_relay, push_to, connect, shards):
    relay = start_relay("--shards", shards)
    pusher = push_to(relay)
    clients = [await connect(relay) for _ in range(10)]
    for number in range(100):
        pusher.broadcast("count", number, set={"radio": number})
    for client in clients:
        await client.read_to_seq(100)
    assert len({tuple(m.text for m in c.events()) for c in clients}) == 1
