"""The examples of docs/http.md, executed."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs/http.md"
MAKES_TOKEN = "openssl rand -hex 32"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language):
    return [text for found, text in BLOCK.findall(DOCUMENT.read_text()) if found == language]


def run(relay, *command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def here(relay, text):
    return text.replace("127.0.0.1:8643", f"127.0.0.1:{relay.ready['admin']}")


def needs(program):
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed")


@needs("curl")
@pytest.mark.parametrize("text", [text for text in blocks("sh") if "admin.token" not in text])
def test_commands_of_the_shell(relay, text):
    output = run(relay, "sh", "-e", "-c", here(relay, text))
    answers = [json.loads(line) for line in output.splitlines()]
    assert answers and all(answer["ok"] for answer in answers)


@needs("curl")
def test_the_command_that_shows_a_token(start_relay, tmp_path):
    [text] = [text for text in blocks("sh") if "admin.token" in text]
    subprocess.run(["sh", "-c", f"{MAKES_TOKEN} > admin.token"], cwd=tmp_path, check=True)
    relay = start_relay("--admin-token", tmp_path / "admin.token")
    asked = text.replace("https://relay.internal:8643", f"http://127.0.0.1:{relay.ready['admin']}").replace("curl", "curl -fsS")
    done = subprocess.run(["sh", "-c", asked], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout)["ok"]


@needs("php")
def test_php(relay):
    assert run(relay, "php", text=here(relay, blocks("php")[0])) == "seq 1\n"


@needs("ruby")
def test_ruby(relay):
    assert json.loads(run(relay, "ruby", text=here(relay, blocks("ruby")[0])))["seq"] == 1


@needs("go")
def test_go(relay, tmp_path):
    (tmp_path / "main.go").write_text(here(relay, blocks("go")[0]))
    assert json.loads(run(relay, "go", "run", str(tmp_path / "main.go")))["seq"] == 1


def test_every_example_is_tried():
    assert f"`{MAKES_TOKEN}`" in DOCUMENT.read_text()
    assert {language for language, _ in BLOCK.findall(DOCUMENT.read_text())} == {"sh", "php", "ruby", "go"}
