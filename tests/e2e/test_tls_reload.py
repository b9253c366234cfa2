"""Certificates that are replaced while the relay runs, and those that it does not take."""

import os
import signal
import ssl

import pytest

from deadline import until, wait_until
from raw_client import RawClient
from relay_process import run_relay
from tls_pair import TlsPair, replace
from tokens import Issuer
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


def test_a_pair_that_is_linked_anew_is_taken_as_certbot_renews_it(start_relay, pair, newer, tmp_path):
    live = tmp_path / "live"
    live.mkdir()
    links = live / "fullchain.pem", live / "privkey.pem"

    def link(to):
        for name, target in zip(links, (to.cert, to.key)):
            name.unlink(missing_ok=True)
            name.symlink_to(target)

    link(pair)
    relay = start_relay("--tls-cert", links[0], "--tls-key", links[1])
    link(newer)
    wait_until(lambda: served_by(relay, pair, newer) is newer, "what the links lead to is taken")


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


def test_a_certificate_that_does_not_count_yet_is_used_and_told(start_relay, tmp_path):
    pair = TlsPair(tmp_path, "early.test", begins=1, days=2)
    relay = start_relay(*pair.options)
    assert "subject=early.test" in relay.logged("the certificate does not count yet")
    assert served_by(relay, pair) is pair


@pytest.mark.parametrize("days, why", [((-30, -1), "has expired"), ((1, 2), "does not count yet")], ids=["late", "early"])
def test_a_pair_that_is_out_of_time_does_not_replace_a_good_one(tls_relay, pair, tmp_path, days, why):
    folder = tmp_path / "other"
    folder.mkdir()
    begins, ends = days
    other = TlsPair(folder, begins=begins, days=ends)
    take_place_of(pair, other)
    assert "the certificate stays what it was" in tls_relay.logged(f"the certificate {why}, and the one in use is good")
    assert served_by(tls_relay, pair, other) is pair


def test_a_pair_that_is_out_of_time_replaces_one_that_is_so_too(start_relay, tmp_path, newer):
    folder = tmp_path / "old"
    folder.mkdir()
    old = TlsPair(folder, "old.test", days=-2)
    relay = start_relay(*old.options)
    other = tmp_path / "other"
    other.mkdir()
    less_old = TlsPair(other, "less.test", days=-1)
    take_place_of(old, less_old)
    wait_until(lambda: served_by(relay, old, less_old) is less_old, "the newer one is used")
    take_place_of(old, newer)
    wait_until(lambda: served_by(relay, less_old, newer) is newer, "the good one is used")


@pytest.mark.parametrize("mode, words", [(0o644, "can read this secret file"), (0o602, "can write this file")])
def test_a_key_that_everybody_can_read_or_write_is_told_at_the_start_and_when_it_becomes_so(start_relay, pair, mode, words):
    pair.key.chmod(mode)
    relay = start_relay(*pair.options)
    line = relay.logged(words)
    assert f"file={pair.key}" in line and f"mode={mode:04o}" in line
    pair.key.chmod(0o640)
    relay.signal(signal.SIGHUP)
    relay.logged("the certificate was read again")
    told = relay.log().count(words)
    pair.key.chmod(mode)
    wait_until(lambda: relay.log().count(words) == told + 1, "it is told again")


def test_keys_of_tokens_and_backends_are_secret_where_they_sign(start_relay, tmp_path):
    secret, public = tmp_path / "secret", tmp_path / "public.pem"
    secret.write_text("s" * 64)
    secret.chmod(0o644)
    relay = start_relay("--token-key", secret)
    assert f"file={secret}" in relay.logged("can read this secret file")
    relay.stop()
    Issuer("ES256").key_file(public)
    public.chmod(0o644)
    relay = start_relay("--token-key", public)
    assert "can read this secret file" not in relay.log()


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
    foreign = refusal(pair, runtime_dir, key=newer.key)
    assert f"{newer.key}: the key does not belong to the certificate in {pair.cert}, whose first one" in foreign
    chain = tmp_path / "chain.pem"
    chain.write_bytes(newer.certificate_pem + pair.certificate_pem)
    wrong_order = refusal(pair, runtime_dir, cert=chain)
    assert f"{chain}: the certificate of the key has to be the first, and is number 2" in wrong_order
    assert "is encrypted" in refusal(pair, runtime_dir, cert=encrypted.cert, key=encrypted.key)
    assert f"{tmp_path}: cannot be read" in refusal(pair, runtime_dir, cert=tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads all")
def test_a_key_that_may_not_be_read_is_told(pair, runtime_dir):
    pair.key.chmod(0)
    assert f"{pair.key}: cannot be read: Permission denied" in refusal(pair, runtime_dir)


def test_a_certificate_alone_is_a_mistake(pair, runtime_dir):
    ended = run_relay("--tls-cert", pair.cert, runtime_dir=runtime_dir)
    assert ended.returncode == 2 and "needs --tls-key" in ended.stderr
