"""Rules, dashboard and configuration of examples/monitoring fit the relay, and Prometheus takes them as they are."""

import json
import re
import shutil
import subprocess

import pytest

from alert_cases import CASES, plays_of
from deadline import wait_until
from metrics_page import MetricsPage
from monitoring import DASHBOARDS, EXAMPLE, ROOT, RULE_FILES, alerts, dashboard_expressions, expressions, faults, recorded
from raw_client import RawClient, upgrade_request

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")


def promtool(*words, cwd=EXAMPLE):
    done = subprocess.run(["promtool", *map(str, words)], cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_promtool_finds_no_fault_in_the_rules_and_the_configuration():
    promtool("check", "rules", "--lint=all", "--lint-fatal", *RULE_FILES)
    promtool("check", "config", "--syntax-only", "prometheus.yml")  # its token is the containers'


def test_every_alert_has_a_case_and_says_what_to_do():
    assert set(CASES) == set(alerts())
    for rule in alerts().values():
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["labels"]["severity"] in ("critical", "warning")


@needs_promtool
@pytest.mark.parametrize("name", CASES)
def test_an_alert_fires_in_its_case_and_not_otherwise(name, tmp_path):
    plan = {"rule_files": [str(path) for path in RULE_FILES], "evaluation_interval": "15s",
            "tests": list(plays_of(name, CASES[name]))}
    (tmp_path / "tests.yml").write_text(json.dumps(plan))
    promtool("test", "rules", "tests.yml", cwd=tmp_path)


@needs_promtool
def test_a_case_that_does_not_come_true_is_found(tmp_path):
    [fires, quiet] = plays_of("SyncrelayDown", CASES["SyncrelayDown"])
    plan = {"rule_files": [str(path) for path in RULE_FILES], "tests": [{**fires, "input_series": quiet["input_series"]}]}
    (tmp_path / "tests.yml").write_text(json.dumps(plan))
    with pytest.raises(AssertionError, match="SyncrelayDown"):
        promtool("test", "rules", "tests.yml", cwd=tmp_path)


@pytest.fixture(scope="module")
def page(relay, pusher):
    """With a client that has gone: which codes there are is told only of those that came."""
    with RawClient(relay.port) as client:
        client.send(upgrade_request())
        client.read_head()
    wait_until(lambda: relay.metrics().value("clients_closed_total") > 0, "the client is gone")
    return relay.metrics()


@pytest.mark.parametrize("expression", expressions())
def test_what_rules_and_dashboard_ask_for_is_there(page, expression):
    assert not list(faults(expression, page))


@pytest.mark.parametrize("expression, fault", [
    ("rate(syncrelay_client[1m])", "the relay has no syncrelay_client"),
    ("syncrelay_clients_refused_total{reason=\"origins\"}", 'syncrelay_clients_refused_total has no reason="origins"'),
    ("syncrelay_clients_refused_total{why=\"origin\"}", 'syncrelay_clients_refused_total has no why="origin"'),
    ("sum by (reason) (syncrelay_clients)", "nothing in sum by (reason) (syncrelay_clients) has the label reason"),
    ("instance:syncrelay_event:rate1m", "no rule records instance:syncrelay_event:rate1m"),
])
def test_what_is_not_there_is_found(expression, fault):
    page = MetricsPage('syncrelay_clients 1\nsyncrelay_clients_refused_total{reason="origin"} 0\n')
    assert list(faults(expression, page)) == [fault]


def test_prometheus_scrapes_a_relay_and_its_rules_come_true(prometheus, pusher, page):
    wait_until(lambda: prometheus.query('up{job="syncrelay"} == 1'), "the relay is scraped", 30)

    def has_counted():
        pusher.broadcast("tick")
        return [value for _, value in prometheus.query("instance:syncrelay_events:rate1m") if value > 0]

    wait_until(has_counted, "events are counted", 30)
    wait_until(lambda: prometheus.query("instance:syncrelay_fanout_seconds:p99_5m >= 0"), "the fan-out is measured", 30)
    groups = prometheus.ask("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == set(alerts()) | set(recorded())
    wait_until(lambda: all(rule["health"] == "ok" for group in prometheus.ask("rules")["groups"] for rule in group["rules"]),
               "each rule has been evaluated", 30)
    assert prometheus.query('ALERTS{alertstate="firing"}') == []
    for expression in dashboard_expressions():
        prometheus.query(expression)  # or raises
    assert prometheus.query("count(syncrelay_clients)") and prometheus.query("sum(instance:syncrelay_events:rate1m)")


def test_the_dashboard_is_one_that_grafana_takes():
    for path in DASHBOARDS:
        dashboard = json.loads(path.read_text())
        panels = dashboard["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels) > 20
        for panel in panels:
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24 and panel["title"] and panel["datasource"]["uid"] == "${datasource}"
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        overlaps = [(one["title"], two["title"]) for one in panels for two in panels
                    if one["id"] < two["id"] and meet(one["gridPos"], two["gridPos"])]
        assert not overlaps


def meet(one, two):
    return (one["x"] < two["x"] + two["w"] and two["x"] < one["x"] + one["w"]
            and one["y"] < two["y"] + two["h"] and two["y"] < one["y"] + one["h"])


def test_the_files_that_compose_mounts_are_there_and_fit_together():
    yaml = pytest.importorskip("yaml")
    compose = yaml.safe_load((EXAMPLE / "docker-compose.yml").read_text())
    assert "name" not in compose
    services = compose["services"]
    mounts = [volume.split(":")[:2] for service in services.values() for volume in service["volumes"]]
    mounted = {source: target for source, target in mounts if source.startswith("./")}
    assert all((EXAMPLE / source).exists() for source in mounted)
    provider = yaml.safe_load((EXAMPLE / "grafana/provisioning/dashboards/syncrelay.yml").read_text())["providers"][0]
    assert mounted["./grafana/dashboards"] == provider["options"]["path"]
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (EXAMPLE / "grafana/dashboards" / home.removeprefix(provider["options"]["path"] + "/")).exists()
    config = (EXAMPLE / "prometheus.yml").read_text()
    assert mounted["./rules"] == "/etc/prometheus/rules" and "rules/*.yml" in config
    admin = services["relay"]["environment"]["SYNCRELAY_ADMIN"].split(":")[1]
    assert f'"relay:{admin}"' in config and "relay" in services
    [secret] = compose["secrets"]
    assert services["relay"]["secrets"] == services["prometheus"]["secrets"] == [secret]
    assert services["relay"]["environment"]["SYNCRELAY_ADMIN_TOKEN"] == f"/run/secrets/{secret}"
    assert f"credentials_file: /run/secrets/{secret}" in config
    [source] = yaml.safe_load((EXAMPLE / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090" and "prometheus" in services
    for service in services.values():
        ports = service["ports"]
        assert service is services["relay"] or all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose is not installed")
def test_docker_compose_takes_the_file():
    done = subprocess.run(["docker-compose", "-f", "docker-compose.yml", "config", "-q"], cwd=EXAMPLE, check=False,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_readme_names_every_alert_and_the_main_readme_leads_there():
    text = (EXAMPLE / "README.md").read_text()
    assert set(re.findall(r"`(Syncrelay\w+)`", text)) == set(alerts())
    assert "examples/monitoring" in (ROOT / "README.md").read_text()
