"""The manifests of examples/kubernetes, and what Kubernetes' own types say of them.

npm's kubernetes-models has a checked type for each kind, made of Kubernetes' OpenAPI schema: TypeScript refuses members
that are not there, and the schema values that do not fit. Both are in build/npm, where scripts/test installs them.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples/kubernetes"
NPM = ROOT / "build/npm"
TSC = NPM / "node_modules/.bin/tsc"
OPTIONS = ("--noEmit", "--skipLibCheck", "--strict", "--module", "nodenext", "--moduleResolution", "nodenext")


def documents():
    """Of all files, in their order."""
    return [document for file in sorted(EXAMPLES.glob("*.yaml")) for document in yaml.safe_load_all(file.read_text())]


def the(kind, name):
    [found] = [d for d in documents() if (d["kind"], d["metadata"]["name"]) == (kind, name)]
    return found


def container(name):
    """Of the pods of the Deployment; sidecars are among the init containers."""
    pod = the("Deployment", "music")["spec"]["template"]["spec"]
    [found] = [each for each in pod["initContainers"] + pod["containers"] if each["name"] == name]
    return found


def environment(name):
    return {each["name"]: each.get("value") for each in container(name)["env"]}


def what_is_missing():
    if not shutil.which("node"):
        return "node is not installed"
    if not (NPM / "node_modules/kubernetes-models").exists() or not TSC.exists():
        return "kubernetes-models and typescript are not in build/npm: scripts/test kubernetes"
    return None


def complaints(*manifests):
    """What is wrong with them, in words; empty: nothing."""
    folder = Path(tempfile.mkdtemp(prefix="kubernetes-", dir=NPM))
    try:
        return _types(folder, manifests) + _schema(folder, manifests)
    finally:
        shutil.rmtree(folder)


def _module(manifest):
    group = manifest["apiVersion"]
    return f"kubernetes-models/{group}"


def _types(folder, manifests):
    lines = [f"import type {{ I{each['kind']} as K{number} }} from '{_module(each)}';\n"
             f"export const k{number}: K{number} = {json.dumps(each, indent=1)};"
             for number, each in enumerate(manifests)]
    (folder / "manifests.mts").write_text("\n".join(lines))
    done = subprocess.run([TSC, *OPTIONS, "manifests.mts"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 or done.stdout, done.stderr
    return done.stdout


def _schema(folder, manifests):
    lines = [f"import {{ {each['kind']} as K{number} }} from '{_module(each)}';\n"
             f"try {{ new K{number}({json.dumps(each)}).validate(); }} catch (error) {{ console.log(error.message); }}"
             for number, each in enumerate(manifests)]
    (folder / "manifests.mjs").write_text("\n".join(lines))
    return subprocess.run(["node", "manifests.mjs"], cwd=folder, capture_output=True, text=True, check=True).stdout
