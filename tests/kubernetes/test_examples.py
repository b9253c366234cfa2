"""examples/kubernetes: valid by Kubernetes' types, its names fit together, and the relay and Redis take what it says."""

import copy
import os
import re
import shutil
import subprocess

import pytest

from manifests import EXAMPLES, ROOT, complaints, container, documents, environment, the, what_is_missing

BINARY = os.environ.get("SYNCRELAY_BINARY", str(ROOT / "build/syncrelay"))
NEEDS_TYPES = pytest.mark.skipif(what_is_missing() is not None, reason=str(what_is_missing()))


@NEEDS_TYPES
def test_every_manifest_is_what_kubernetes_takes():
    kinds = {each["kind"] for each in documents()}
    assert {"Deployment", "StatefulSet", "Service", "Ingress", "NetworkPolicy", "Secret", "PodDisruptionBudget"} <= kinds
    assert complaints(*documents()) == ""


def without_a_type(deployment):
    deployment["spec"]["replicas"] = "two"


def with_a_wrong_member(deployment):
    deployment["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {"tcpSocket": {"port": 1}}


def without_a_selector(deployment):
    del deployment["spec"]["selector"]


@NEEDS_TYPES
@pytest.mark.parametrize("damage, told", [(without_a_type, "replicas"), (with_a_wrong_member, "livenesProbe"),
                                          (without_a_selector, "selector")])
def test_a_manifest_that_kubernetes_would_refuse_is_found(damage, told):
    deployment = copy.deepcopy(the("Deployment", "music"))
    damage(deployment)
    assert told in complaints(deployment)


def test_services_policies_and_the_ingress_name_what_is_there():
    labels = {each["spec"]["template"]["metadata"]["labels"]["app"]: each for each in documents()
              if each["kind"] in ("Deployment", "StatefulSet")}
    ports = {app: {port["name"] for group in ("initContainers", "containers")
                   for each in owner["spec"]["template"]["spec"].get(group, []) for port in each["ports"]}
             for app, owner in labels.items()}
    for service in (each for each in documents() if each["kind"] == "Service"):
        wanted = {port["targetPort"] for port in service["spec"]["ports"]}
        assert wanted <= ports[service["spec"]["selector"]["app"]]
    for owner in labels.values():
        assert owner["spec"]["selector"]["matchLabels"] == owner["spec"]["template"]["metadata"]["labels"]
    served = {port["name"] for port in the("Service", "music")["spec"]["ports"]}
    [rule] = the("Ingress", "music")["spec"]["rules"]
    assert [path["path"] for path in rule["http"]["paths"]] == ["/ws/sync", "/"]
    for path in rule["http"]["paths"]:
        assert path["backend"]["service"]["name"] == "music" and path["backend"]["service"]["port"]["name"] in served
    policy = the("NetworkPolicy", "redis")["spec"]
    assert policy["podSelector"]["matchLabels"]["app"] in labels
    assert policy["ingress"][0]["from"][0]["podSelector"]["matchLabels"]["app"] in labels


def test_both_containers_share_the_runtime_directory_as_one_user():
    pod = the("Deployment", "music")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
    assert [set(volume) for volume in pod["volumes"]] == [{"name", "emptyDir"}, {"name", "secret"}]
    for name in ("relay", "backend"):
        [mount] = [each for each in container(name)["volumeMounts"] if each["name"] == "sockets"]
        directory = environment(name)["SYNCRELAY_RUNTIME_DIR"]
        # A volume is root's, and a relay takes no directory of another user.
        assert os.path.dirname(directory) == mount["mountPath"]
        assert "runAsUser" not in container(name)["securityContext"]
        assert container(name)["securityContext"]["readOnlyRootFilesystem"]
        assert container(name)["resources"]["limits"]["memory"]


def test_the_token_of_the_admin_listener_is_the_relays_alone():
    volumes = the("Deployment", "music")["spec"]["template"]["spec"]["volumes"]
    [secret] = [volume["secret"] for volume in volumes if "secret" in volume]
    [item] = secret["items"]
    assert item["key"] in the("Secret", secret["secretName"])["stringData"] and secret["defaultMode"] == 0o440
    [mount] = [each for each in container("relay")["volumeMounts"] if each["name"] == "admin"]
    assert environment("relay")["SYNCRELAY_ADMIN_TOKEN"] == f"{mount['mountPath']}/{item['path']}"
    assert [each["name"] for each in container("backend")["volumeMounts"]] == ["sockets"]


def test_a_relay_without_redis_is_not_restarted_and_one_that_catches_up_gets_no_clients():
    relay = container("relay")
    assert relay["restartPolicy"] == "Always" and "startupProbe" not in relay
    assert relay["readinessProbe"]["httpGet"] == {"path": "/health", "port": "sync"}
    assert set(relay["livenessProbe"]) & {"httpGet", "exec", "tcpSocket"} == {"tcpSocket"}


def test_the_pod_has_the_time_to_stop():
    def slept(name):
        return int(container(name)["lifecycle"]["preStop"]["exec"]["command"][1])

    drain = int(environment("relay")["SYNCRELAY_DRAIN_TIMEOUT"].removesuffix("s"))
    backend = 10  # seconds, as the manifest says
    grace = the("Deployment", "music")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace >= max(slept("relay"), slept("backend")) + backend + drain + 2


def test_the_relay_takes_the_environment_of_the_manifest(tmp_path):
    told = environment("relay")
    told["SYNCRELAY_CLUSTER"] = the("Secret", "relay")["stringData"]["cluster"]
    done = subprocess.run([BINARY, "--print-config"], env={"PATH": os.environ["PATH"], **told}, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    for name in told:
        option = name.removeprefix("SYNCRELAY_").lower().replace("_", "-")
        assert re.search(rf"^{option} = .*# {name}$", done.stdout, re.MULTILINE), name
    assert "change-me" not in done.stdout


def test_the_password_is_the_same_in_both_secrets_and_the_prefix_too():
    url = the("Secret", "relay")["stringData"]["cluster"]
    user, password, prefix = re.fullmatch(r"redis://(\w+):([\w-]+)@redis:6379/0\?prefix=(\w+)", url).groups()
    line = the("Secret", "redis-users")["stringData"]["users.acl"].splitlines()[1]
    assert line.startswith(f"user {user} on >{password} resetkeys ~{{{prefix}}}:* resetchannels -@all ")
    assert line.partition("-@all ")[2] == allowed_in_the_documents()


def allowed_in_the_documents():
    text = (ROOT / "docs/clusters.md").read_text()
    return re.search(r"^ACL SETUSER .*-@all (.*)$", text, re.MULTILINE)[1]


@pytest.mark.skipif(not shutil.which("redis-server"), reason="there is no redis-server")
def test_redis_takes_its_arguments_and_users_from_the_manifest(tmp_path):
    (tmp_path / "users.acl").write_text(the("Secret", "redis-users")["stringData"]["users.acl"])
    [redis] = the("StatefulSet", "redis")["spec"]["template"]["spec"]["containers"]
    arguments = [each.replace("/etc/redis", str(tmp_path)) for each in redis["args"]]
    process = subprocess.Popen([*arguments, "--port", "0", "--unixsocket", str(tmp_path / "s"), "--dir", str(tmp_path)],
                               stdout=subprocess.PIPE, text=True)
    try:
        lines = iter(process.stdout.readline, "")
        assert any("ready to accept connections" in line for line in lines)
        asked = subprocess.run(["redis-cli", "-s", str(tmp_path / "s"), "PING"], capture_output=True, text=True)
        assert "NOAUTH" in asked.stdout
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def test_the_readme_names_every_file():
    text = (EXAMPLES / "README.md").read_text()
    assert [file.name for file in EXAMPLES.glob("*.yaml") if f"`{file.name}`" not in text] == []
