import datetime as dt

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from citycard.errors import NotificationRefused, ProviderKeyInvalid
from citycard.provider.sandbox.keys import SandboxKeys
from citycard.provider.signing import (
    PATIENCE_S,
    Seal,
    Signer,
    Verifier,
    new_nonce,
    read_private_key,
    read_public_key,
)

NOW = dt.datetime(2026, 11, 28, 9, 0, tzinfo=dt.UTC)
MESSAGE = ("POST", "/v1/orders?x=1", b'{"number": "1"}')


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def sealed(key):
    return Signer("city", key).seal(*MESSAGE, nonce=new_nonce(), now=NOW)


def check(key, seal, message=MESSAGE, **more):
    Verifier("city", key.public_key()).check(*message, seal, **{"now": NOW} | more)


def test_what_was_signed_is_accepted_and_its_headers_carry_it(key, sealed):
    check(key, sealed)
    check(key, Seal.read(sealed.headers), nonce=sealed.nonce)


@pytest.mark.parametrize("place", range(3))
def test_a_message_that_was_changed_is_refused(key, sealed, place):
    changed = [*MESSAGE]
    changed[place] = b"{}" if place == 2 else f"{MESSAGE[place]}x"
    with pytest.raises(NotificationRefused, match="its signature is wrong"):
        check(key, sealed, changed)


@pytest.mark.parametrize("late_s", [-PATIENCE_S - 1, PATIENCE_S + 1])
def test_a_message_that_is_old_or_from_the_future_is_refused(key, sealed, late_s):
    with pytest.raises(NotificationRefused, match="older than 300 seconds"):
        check(key, sealed, now=NOW + dt.timedelta(seconds=late_s))


def test_an_answer_to_another_request_is_refused(key, sealed):
    with pytest.raises(NotificationRefused, match="answers another request"):
        check(key, sealed, nonce=new_nonce())


def test_another_key_is_refused(key, sealed):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(NotificationRefused, match="signature"):
        check(other, sealed)
    with pytest.raises(NotificationRefused, match="not known here"):
        Verifier("bank", key.public_key()).check(*MESSAGE, sealed, now=NOW)


@pytest.mark.parametrize(
    "changed", [{"pay-timestamp": "x"}, {"pay-timestamp": "²"}, {"pay-nonce": "1"}, {"pay-signature": "!"}]
)
def test_headers_that_are_none_are_refused(key, sealed, changed):
    with pytest.raises(NotificationRefused):
        check(key, Seal.read(sealed.headers | changed))


def test_keys_are_made_once_and_others_are_refused(tmp_path):
    keys = SandboxKeys.of(tmp_path)
    again = SandboxKeys.of(tmp_path)
    assert read_private_key(keys.provider).public_key() == read_public_key(again.provider_public)
    assert keys.merchant.stat().st_mode & 0o077 == 0
    with pytest.raises(ProviderKeyInvalid, match="a public RSA key in PEM"):
        read_public_key(keys.merchant)
    with pytest.raises(ProviderKeyInvalid, match="a private RSA key in PEM"):
        read_private_key(tmp_path / "none.pem")
