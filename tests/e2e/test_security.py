"""What SECURITY.md says besides what other files here show: keys, origins and listeners together."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from raw_client import CLOSE, TEXT, RawClient, upgrade_request
from relay_process import run_relay
from tokens import Issuer


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def guarded(start_relay, issuer, tmp_path):
    return start_relay("--token-key", issuer.key_file(tmp_path / "key"), "--token-cookie", "session", "--token-in-url")


def first_frame(relay, path="/ws/sync", **headers):
    with RawClient(relay.port) as client:
        client.send(upgrade_request(path, **headers))
        assert client.read_head()[0] == 101
        return client.read_frame()


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_a_page_of_another_origin_gets_nothing_with_a_good_token_either(guarded, issuer, origin):
    token = issuer.token(sub="dev-1")
    places = [{"Cookie": f"session={token}"}, {"Authorization": f"Bearer {token}"},
              {"Sec_WebSocket_Protocol": f"syncrelay, token.{token}"}, {"path": f"/ws/sync?token={token}"}]
    for place in places:
        frame = first_frame(guarded, Origin=origin, **place)
        assert (frame.opcode, frame.close_code) == (CLOSE, 4403)
        assert first_frame(guarded, Origin="http://127.0.0.1:3000", **place).opcode == TEXT
    assert guarded.metrics().value("clients_refused_total", reason="origin") == len(places)


def test_who_has_no_token_is_told_of_no_state_and_knows_health(guarded):
    frame = first_frame(guarded, path="/ws/sync?channel=room:1&channel=@dev-1")
    assert (frame.opcode, frame.close_code, frame.payload[2:]) == (CLOSE, 4401, b"token_missing")
    assert guarded.health()["status"] == "ok"
    assert guarded.http(path="/metrics").status == 404


def test_the_admin_listener_has_no_clients(guarded, issuer):
    with RawClient(guarded.ready["admin"]) as client:
        client.send(upgrade_request(Authorization=f"Bearer {issuer.token()}"))
        assert client.read_head()[0] == 404
    for path, status in [("/metrics", 200), ("/health", 200), ("/ws/sync", 404)]:
        assert guarded.http(path=path, port=guarded.ready["admin"]).status == status


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_relay_takes_no_private_key(runtime_dir, tmp_path, algorithm):
    pem = Issuer(algorithm).key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key").write_bytes(pem)
    done = run_relay("--port", "0", "--token-key", tmp_path / "key", runtime_dir=runtime_dir)
    assert done.returncode == 1 and "private key" in done.stderr
    assert pem.splitlines()[1].decode() not in done.stderr
