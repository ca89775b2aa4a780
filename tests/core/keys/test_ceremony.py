"""A ceremony makes the same key from the same components, and its protocol holds or says why not."""

import datetime as dt
import json
import stat

import pytest

from citycard.errors import (
    CeremonyInvalid,
    CeremonyOutOfOrder,
    CeremonyPersonTwice,
    ComponentWrong,
    SigningKeyInvalid,
    VaultExists,
)
from citycard.keys import check_value
from citycard.keys.ceremony import Ceremony, Scheme, Signer, same_person
from citycard.keys.protocol import draw_signer, protocol_text, public_pem, sign_protocol, verify_protocol
from citycard.keys.shamir import combine_xor, value_at

NOW = dt.datetime(2026, 3, 2, 8, 15, tzinfo=dt.UTC)
PEOPLE = ("Zhao", "Qian", "Sun")
PARTS = {name: bytes([16 * number]) * 15 + b"\xde" for number, name in enumerate(PEOPLE, 1)}
OFFICER, WITNESS = draw_signer(), draw_signer()


def start(path, **changes):
    signers = [
        Signer(role="officer", name="Li", public_key=public_pem(OFFICER)),
        Signer(role="witness", name="Zhou", public_key=public_pem(WITNESS)),
    ]
    asked = {"subject": "root", "scheme": Scheme.XOR, "needed": 3, "custodians": PEOPLE, "signers": signers}
    return Ceremony.start(path, **{**asked, **changes}, now=NOW)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ceremony.json"


def finished(path):
    ceremony = start(path)
    for name, part in PARTS.items():
        ceremony.contribute(name, part, NOW)
    ceremony.combine(PARTS, NOW)
    ceremony.finish("made the vault of the city", NOW)
    return ceremony


def test_all_components_make_the_key_by_xor(path):
    ceremony = start(path)
    for name, part in PARTS.items():
        ceremony.contribute(name, part, NOW)
    expected = combine_xor(dict(enumerate(PARTS.values())))
    assert expected == Ceremony.read(path).combine(PARTS, NOW)
    assert check_value(expected).hex().upper() == Ceremony.read(path).kcv


def test_two_of_three_make_the_key_by_shamir_and_the_third_gets_a_share(path):
    ceremony = start(path, scheme=Scheme.SHAMIR, needed=2)
    with pytest.raises(CeremonyOutOfOrder, match="Sun gets a share when the ceremony is finished"):
        ceremony.contribute("Sun", PARTS["Sun"], NOW)
    first = {name: PARTS[name] for name in PEOPLE[:2]}
    for name, part in first.items():
        ceremony.contribute(name, part, NOW)
    key = ceremony.combine(first, NOW)
    share = ceremony.further_shares(first, NOW)
    assert {"Sun": value_at({1: PARTS["Zhao"], 2: PARTS["Qian"]}, 3)} == share
    ceremony.finish("made", NOW)
    for absent in PEOPLE:
        present = {name: part for name, part in {**first, **share}.items() if name != absent}
        assert key == Ceremony.read(path).combine(present, NOW)


def test_a_wrong_component_is_named_with_both_check_values(path):
    ceremony = start(path)
    for name, part in PARTS.items():
        ceremony.contribute(name, part, NOW)
    wrong = check_value(bytes(16)).hex().upper()
    with pytest.raises(ComponentWrong, match=f"component 2 of Qian does not agree: its KCV is {wrong}"):
        ceremony.combine({**PARTS, "Qian": bytes(16)}, NOW)
    with pytest.raises(ComponentWrong):
        ceremony.contribute("Qian", bytes(16), NOW)
    with pytest.raises(ComponentWrong, match="the root key does not agree"):
        ceremony.combine(PARTS, NOW, "ABCDEF")
    assert Ceremony.read(path).kcv == ""


def test_a_ceremony_may_be_interrupted_after_every_step(path):
    start(path)
    for name, part in PARTS.items():
        for _ in range(2):
            Ceremony.read(path).contribute(name, part, NOW)
    for _ in range(2):
        Ceremony.read(path).combine(PARTS, NOW)
    for _ in range(2):
        Ceremony.read(path).finish("made", NOW)
    ceremony = Ceremony.read(path)
    assert ["Li", *PEOPLE, "Li", "Li"] == [step.who for step in ceremony.steps]
    assert ceremony.next_step() == "sign: Li, Zhou"


def test_the_file_holds_no_component_and_no_key(path):
    finished(path)
    text = path.read_text().lower()
    for secret in (*PARTS.values(), combine_xor(dict(enumerate(PARTS.values())))):
        assert secret.hex() not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nobody_is_named_twice(path):
    for custodians in (("Zhao", "Qian", "zhao "), ("Zhao", "Qian", "LI"), ("Zhao", "Qian", "  ")):
        with pytest.raises(CeremonyPersonTwice):
            start(path, custodians=custodians)
    assert same_person("Ｚｈａｏ  Yi") == same_person("zhao yi")
    assert not path.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"needed": 2},
        {"needed": 4, "scheme": Scheme.SHAMIR},
        {"needed": 1, "scheme": Scheme.SHAMIR},
        {"custodians": ("Zhao",), "needed": 1},
        {"signers": [Signer(role="officer", name="Li", public_key=public_pem(OFFICER))]},
        {
            "signers": [
                Signer(role=role, name=name, public_key=public_pem(OFFICER))
                for role, name in (("officer", "Li"), ("witness", "Zhou"))
            ]
        },
    ],
)
def test_a_ceremony_against_the_rules_is_not_begun(path, changes):
    with pytest.raises(CeremonyInvalid):
        start(path, **changes)


def test_a_ceremony_is_not_begun_over_another(path):
    start(path)
    with pytest.raises(VaultExists):
        start(path)


def test_too_few_or_unknown_people_make_no_key(path):
    ceremony = start(path)
    ceremony.contribute("Zhao", PARTS["Zhao"], NOW)
    with pytest.raises(CeremonyOutOfOrder, match="component 2 was never contributed"):
        ceremony.combine({name: PARTS[name] for name in PEOPLE[:2]}, NOW)
    with pytest.raises(CeremonyOutOfOrder, match="1 of 3 needed components are here"):
        ceremony.combine({"Zhao": PARTS["Zhao"]}, NOW)
    with pytest.raises(CeremonyOutOfOrder, match="Wu is no custodian"):
        ceremony.contribute("Wu", bytes(16), NOW)


def test_a_signed_protocol_holds_and_says_everything(path):
    ceremony = finished(path)
    assert [sign_protocol(ceremony, key) for key in (OFFICER, WITNESS)] == ["Li", "Zhou"]
    again = Ceremony.read(path)
    verify_protocol(again)
    text = protocol_text(again)
    for said in (*PEOPLE, "Li", "Zhou", ceremony.kcv, "2026-03-02T08:15:00+00:00"):
        assert said in text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: content["steps"][0].update(at="2026-03-01T08:15:00+00:00"), "does not hold"),
        (lambda content: content.update(kcv="ABCDEF"), "the signature of officer Li does not hold"),
        (lambda content: content["signatures"].pop("Zhou"), "witness Zhou has not signed"),
        (lambda content: content["signatures"].update(Zhou="AAAA"), "the signature of witness Zhou"),
        (lambda content: content.update(outcome=""), "it is not finished"),
        (lambda content: content["components"][0].update(custodian="Wu"), "component 1 is not Wu's"),
        (lambda content: content.update(scheme="trust"), "not the protocol of a ceremony"),
    ],
)
def test_a_changed_protocol_does_not_hold(path, change, reason):
    ceremony = finished(path)
    for key in (OFFICER, WITNESS):
        sign_protocol(ceremony, key)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(CeremonyInvalid, match=reason):
        verify_protocol(Ceremony.read(path))


def test_only_officer_and_witness_sign_and_only_at_the_end(path):
    ceremony = start(path)
    with pytest.raises(CeremonyOutOfOrder, match="signed when it is finished"):
        sign_protocol(ceremony, OFFICER)
    for name, part in PARTS.items():
        ceremony.contribute(name, part, NOW)
    ceremony.combine(PARTS, NOW)
    ceremony.finish("made", NOW)
    with pytest.raises(SigningKeyInvalid, match="neither the officer's nor the witness's"):
        sign_protocol(ceremony, draw_signer())
    with pytest.raises(SigningKeyInvalid, match="no PEM file"):
        sign_protocol(ceremony, b"text")


def test_a_component_is_not_used_twice_for_by_xor_it_would_cancel_out(path):
    ceremony = start(path)
    ceremony.contribute("Zhao", PARTS["Zhao"], NOW)
    with pytest.raises(CeremonyOutOfOrder, match="Qian has the component of Zhao"):
        ceremony.contribute("Qian", PARTS["Zhao"], NOW)
    assert [one.custodian for one in Ceremony.read(path).components] == ["Zhao"]


def test_a_3des_key_of_equal_halves_is_refused(path):
    ceremony = start(path, custodians=PEOPLE[:2], needed=2)
    # DES leaves the lowest bit of each byte out.
    weak = bytes(range(8)) + bytes(one ^ 1 for one in range(8))
    parts = {"Zhao": PARTS["Zhao"], "Qian": combine_xor({1: PARTS["Zhao"], 2: weak})}
    for name, part in parts.items():
        ceremony.contribute(name, part, NOW)
    with pytest.raises(CeremonyOutOfOrder, match="both halves of the key are equal"):
        ceremony.combine(parts, NOW)


def test_a_protocol_forged_with_other_peoples_keys_does_not_hold_against_the_true_ones(path):
    ceremony = finished(path)
    sign_protocol(ceremony, OFFICER)
    sign_protocol(ceremony, WITNESS)
    verify_protocol(ceremony, [public_pem(WITNESS), public_pem(OFFICER)])
    with pytest.raises(CeremonyInvalid, match="the key of officer Li is none of those that were given"):
        verify_protocol(ceremony, [public_pem(WITNESS), public_pem(draw_signer())])
