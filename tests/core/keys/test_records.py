"""Keys that leave the vault show themselves nowhere."""

import attrs

ASN8 = bytes.fromhex("0000000012345678")


def test_card_keys_show_versions_and_no_key(vault):
    keys = vault.card_keys(ASN8)
    shown = repr(keys).lower()
    for value in attrs.asdict(keys, recurse=False).values():
        if isinstance(value, bytes):
            assert value.hex() not in shown
            assert repr(value).lower() not in shown
    assert "'purchase': 1" in shown


def test_sam_keys_show_versions_and_no_key(vault):
    vault.roll("purchase")
    assert repr(vault.sam_keys()) == "SamKeys(versions=(1, 2))"
