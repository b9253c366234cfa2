"""Certificates that are replaced while the relay runs, and those that it does not take."""

import os
import signal
import ssl

import pytest

from deadline import until, wait_until
from raw_client import RawClient
from relay_process import run_relay
from tls_pair import TlsPair, replace
from ws_client import SyncClient


def served_by(relay, *pairs):
    """The certificate that a new connection gets: one of these pairs'."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with RawClient(relay.port, tls=context) as client:
        der = client.socket.getpeercert(binary_form=True)
    return next(pair for pair in pairs if pair.der == der)


@pytest.fixture
def newer(tmp_path):
    """A pair in a folder of its own, which is not what the relay reads."""
    folder = tmp_path / "newer"
    folder.mkdir()
    return TlsPair(folder, "newer.test")


def take_place_of(pair, newer):
    """The newer pair is what lies in the files from now on."""
    replace(pair.cert, newer.certificate_pem)
    replace(pair.key, newer.key_pem)


@pytest.mark.parametrize("how", ["by SIGHUP", "by itself"])
async def test_a_newer_pair_is_for_those_who_come_and_nobody_is_dropped(start_relay, push_to, pair, newer, how):
    relay = start_relay(*pair.options)
    pusher = push_to(relay)
    stays = await SyncClient.open(relay, tls=pair.client())
    take_place_of(pair, newer)
    if how == "by SIGHUP":
        relay.signal(signal.SIGHUP)
    relay.logged("the certificate was read again")
    await until(lambda: served_by(relay, pair, newer) is newer, "new connections get it")
    comes = await SyncClient.open(relay, tls=newer.client())
    pusher.broadcast("to both")
    assert (await stays.next_event()).type == (await comes.next_event()).type == "to both"
    for client in (stays, comes):
        await client.leave()
    assert relay.metrics().value("clients_closed_total", reason="client_closed") == 2


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_tls_session_outlives_its_certificate(tls_relay, pair, newer, version):
    context = pair.client(minimum_version=version, maximum_version=version)
    with RawClient(tls_relay.port, tls=context) as client:
        client.upgrade().read_text()
        session = client.socket.session
    take_place_of(pair, newer)
    tls_relay.logged("the certificate was read again")
    with RawClient(tls_relay.port, tls=context, session=session) as client:
        assert client.socket.session_reused
        client.upgrade().read_text()


async def test_half_a_pair_changes_nothing_until_the_other_half_is_there(tls_relay, pair, newer):
    stays = await SyncClient.open(tls_relay, tls=pair.client())
    for first, second in ((pair.cert, pair.key), (pair.key, pair.cert)):
        before, after = served_by(tls_relay, pair, newer), newer if served_by(tls_relay, pair, newer) is pair else pair
        content = {pair.cert: after.certificate_pem, pair.key: after.key_pem}
        replace(first, content[first])
        tls_relay.logged("the certificate stays what it was")
        assert served_by(tls_relay, pair, newer) is before
        replace(second, content[second])
        await until(lambda: served_by(tls_relay, pair, newer) is after, "the whole pair is taken")
    await stays.leave()


@pytest.mark.parametrize("content, why", [
    (b"", "holds no certificate in PEM"), (b"\x00\xff" * 1000, "holds no certificate in PEM"),
    (None, "cannot be read")], ids=["empty", "garbage", "gone"])
def test_what_cannot_be_used_is_told_and_the_next_change_is_looked_at(tls_relay, pair, newer, content, why):
    pair.cert.unlink() if content is None else replace(pair.cert, content)
    assert why in tls_relay.logged("the certificate stays what it was")
    assert served_by(tls_relay, pair, newer) is pair
    take_place_of(pair, newer)
    wait_until(lambda: served_by(tls_relay, pair, newer) is newer, "the good pair is taken")


def test_an_expired_certificate_is_used_and_told(start_relay, tmp_path):
    pair = TlsPair(tmp_path, "old.test", days=-1)
    relay = start_relay(*pair.options)
    assert "subject=old.test" in relay.logged("the certificate has expired")
    assert served_by(relay, pair) is pair


def refusal(pair, runtime_dir, cert=None, key=None):
    ended = run_relay("--tls-cert", cert or pair.cert, "--tls-key", key or pair.key, "--port", 0,
                      runtime_dir=runtime_dir)
    assert ended.returncode == 1 and ended.stdout == ""
    return ended.stderr


def test_a_start_without_a_good_pair_fails_and_names_the_file(pair, newer, runtime_dir, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir()
    encrypted = TlsPair(locked, passphrase=b"a secret")
    assert "nothing.pem: cannot be read: No such file" in refusal(pair, runtime_dir, cert=tmp_path / "nothing.pem")
    assert f"{pair.key}: holds no certificate" in refusal(pair, runtime_dir, cert=pair.key)
    assert f"{pair.cert}: holds no private key" in refusal(pair, runtime_dir, key=pair.cert)
    assert "the key does not belong to the certificate" in refusal(pair, runtime_dir, key=newer.key)
    assert "is encrypted" in refusal(pair, runtime_dir, cert=encrypted.cert, key=encrypted.key)
    assert f"{tmp_path}: cannot be read" in refusal(pair, runtime_dir, cert=tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads all")
def test_a_key_that_may_not_be_read_is_told(pair, runtime_dir):
    pair.key.chmod(0)
    assert f"{pair.key}: cannot be read: Permission denied" in refusal(pair, runtime_dir)


def test_a_certificate_alone_is_a_mistake(pair, runtime_dir):
    ended = run_relay("--tls-cert", pair.cert, runtime_dir=runtime_dir)
    assert ended.returncode == 2 and "needs --tls-key" in ended.stderr
