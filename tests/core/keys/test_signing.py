"""The city's signature can be checked by anybody, whoever made it: memory or a token."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from citycard.keys.signing import SigningKey, point_pem, raw_to_der, verify_signature


def test_a_key_taken_up_again_is_the_same():
    key = SigningKey.draw()
    assert key.public_key_pem() == SigningKey.from_secret(key.secret()).public_key_pem()


def test_a_signature_of_other_data_or_bytes_does_not_hold():
    key = SigningKey.draw()
    signature = key.sign(b"list")
    pem = key.public_key_pem()
    answers = [
        verify_signature(pem, data, made)
        for data, made in ((b"list", signature), (b"lisT", signature), (b"list", b""), (b"list", bytes(70)))
    ]
    assert answers == [True, False, False, False]


def test_a_tokens_raw_signature_and_point_mean_the_same():
    key = SigningKey.draw()
    r, s = decode_dss_signature(key.sign(b"list"))
    signature = raw_to_der(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    public = serialization.load_pem_public_key(key.public_key_pem().encode())
    point = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    assert key.public_key_pem() == point_pem(point)
    assert verify_signature(point_pem(point), b"list", signature)


def test_a_key_on_another_curve_is_refused():
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = other.public_bytes(serialization.Encoding.PEM, form).decode()
    with pytest.raises(ValueError, match="not one on P-256"):
        verify_signature(pem, b"list", b"")


def test_a_key_shows_nothing():
    key = SigningKey.draw()
    assert key.secret().hex() not in repr(key)
