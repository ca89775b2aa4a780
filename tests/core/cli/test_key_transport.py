"""A key leaves and comes under a transport key, before two people, and the audit says so."""

import hashlib
import json
import shutil
import stat

import pytest
from click.testing import CliRunner

from citycard.city import City
from citycard.cli.key import group
from citycard.errors import CitycardError, ComponentWrong, KeyAuditBroken, PeopleMissing, TransportInvalid
from citycard.keys import verify_signature
from citycard.keys.line import unseal

CITY = '[city]\nname = "Haibin"\ncode = "9901"\n'
ASN8 = bytes.fromhex("0000000012345678")
KEY = bytes(range(16))
TWO = ("--person", "Li", "--person", "Zhou")


def run(*arguments, typed=""):
    return CliRunner().invoke(group, [str(one) for one in arguments], input=typed, catch_exceptions=False)


@pytest.fixture(scope="module")
def founded(tmp_path_factory):
    """Two cities with keys of their own, to be copied."""
    folder = tmp_path_factory.mktemp("founded")
    (folder / "template.toml").write_text(CITY)
    for name in ("one", "other"):
        City.create(folder / name, folder / "template.toml").close()
    (folder / "transport").write_text(KEY.hex())
    return folder


@pytest.fixture
def cities(founded, tmp_path):
    shutil.copytree(founded, tmp_path, dirs_exist_ok=True)
    return tmp_path


def export(cities, *more, purpose="load", to="load.json"):
    done = run(
        "export", purpose, cities / to, "--under", cities / "transport", *TWO, "--city", cities / "one", *more
    )
    assert done.exit_code == 0, done.output
    return cities / to


@pytest.mark.parametrize("form", ["aes-kw", "write-key"])
@pytest.mark.parametrize("purpose", ["load", "batch"])
def test_what_one_city_exports_another_imports_rolls_and_uses(cities, form, purpose):
    file = export(cities, "--form", form, purpose=purpose)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    done = run("import", file, "--under", cities / "transport", *TWO, "--city", cities / "other")
    assert "version 2" in done.stderr
    one, other = City.open(cities / "one"), City.open(cities / "other")
    other.vault.roll(purpose)
    assert one.vault.card_key(purpose, ASN8) == other.vault.card_key(purpose, ASN8)
    one.close()
    other.close()


def test_both_ends_tell_the_check_values_in_json(cities):
    file = cities / "load.json"
    under = ("--under", cities / "transport", *TWO)
    out = json.loads(run("export", "load", file, *under, "--city", cities / "one", "--json").stdout)
    came = json.loads(run("import", file, *under, "--city", cities / "other", "--json").stdout)
    assert (out["file"], out["version"], came["version"], came["status"]) == (str(file), 1, 2, "waiting")
    assert (out["kcv"], out["transport_kcv"]) == (came["kcv"], came["transport_kcv"])
    made = json.loads(run("hierarchy", "create", "health", "--city", cities / "one", "--json").stdout)
    assert made == {"hierarchy": "health", "vault": str(cities / "one" / "vault-health.bin")}


def test_a_transport_key_that_nobody_types_is_asked_for_by_name(cities):
    file = export(cities)
    with pytest.raises(CitycardError, match=r"part 1 of the transport key was expected.*--under FILE"):
        run("import", file, "--parts", 2, *TWO, "--city", cities / "other")


def test_a_sam_factory_gets_the_bytes_of_write_key(cities):
    file = export(cities, "--form", "write-key", "--usage", "22", purpose="purchase")
    content = json.loads(file.read_text())
    plain = unseal(KEY, bytes.fromhex(content["wrapped"]))
    assert bytes.fromhex("220100") == plain[:3]
    assert len(plain) == 19


def test_the_transport_key_may_be_typed_in_parts(cities):
    file = export(cities)
    half = bytes([0x5A] * 16)
    rest = bytes(one ^ other for one, other in zip(KEY, half, strict=True))
    typed = f"{half.hex()}\n{rest.hex()}\n"
    done = run("import", file, "--parts", 2, *TWO, "--city", cities / "other", typed=typed)
    assert done.exit_code == 0
    assert half.hex() not in done.output
    assert run("import", file, "--parts", 1, *TWO, "--city", cities / "other").exit_code == 2
    assert run("import", file, *TWO, "--city", cities / "other").exit_code == 2


def test_one_person_is_not_enough_and_nothing_leaves(cities):
    for people in (("--person", "Li"), ("--person", "Li", "--person", " li")):
        with pytest.raises(PeopleMissing, match="two different people"):
            run(
                "export",
                "load",
                cities / "x.json",
                "--under",
                cities / "transport",
                *people,
                "--city",
                cities / "one",
            )
    assert not (cities / "x.json").exists()


def test_a_wrong_transport_key_is_told_by_its_check_value(cities):
    file = export(cities)
    (cities / "transport").write_text("00" * 16)
    with pytest.raises(ComponentWrong, match="the transport key does not agree"):
        run("import", file, "--under", cities / "transport", *TWO, "--city", cities / "other")
    (cities / "transport").write_text("00" * 15)
    with pytest.raises(CitycardError, match="32 hex digits"):
        run("import", file, "--under", cities / "transport", *TWO, "--city", cities / "other")


def test_a_changed_file_is_refused(cities):
    file = export(cities)
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, "wrapped": "00" * 24}))
    with pytest.raises(TransportInvalid, match="it does not open"):
        run("import", file, "--under", cities / "transport", *TWO, "--city", cities / "other")
    file.write_text("{}")
    with pytest.raises(TransportInvalid, match="no wrapped key"):
        run("import", file, "--under", cities / "transport", *TWO, "--city", cities / "other")


def test_the_audit_grows_and_a_changed_line_stops_everything(cities):
    export(cities)
    export(cities, purpose="tac", to="tac.json")
    path = cities / "one" / "key-audit.jsonl"
    entries = listed(cities)
    assert [(entry["what"], entry["purpose"], entry["people"]) for entry in entries] == [
        ("export", "load", ["Li", "Zhou"]),
        ("export", "tac", ["Li", "Zhou"]),
    ]
    path.write_text(path.read_text().replace("Zhou", "Wang", 1))
    with pytest.raises(KeyAuditBroken, match="changed at line 1"):
        export(cities, to="again.json")
    assert not (cities / "again.json").exists()


def test_a_forged_line_is_told_although_its_digest_fits(cities):
    export(cities)
    path = cities / "one" / "key-audit.jsonl"
    last = json.loads(path.read_text())
    forged = {name: value for name, value in last.items() if name not in {"digest", "signature"}}
    forged |= {"people": ["Wu", "Zheng"], "before": last["digest"]}
    digest = hashlib.sha256(json.dumps(forged, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    line = json.dumps({**forged, "digest": digest, "signature": last["signature"]}, ensure_ascii=False)
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(KeyAuditBroken, match="changed at line 2"):
        listed(cities)


def test_no_signature_of_a_line_is_good_for_anything_else(cities):
    export(cities)
    (line,) = listed(cities)
    told = json.loads((cities / "one" / "key-audit.jsonl").read_text())
    city = City.open(cities / "one")
    signature, key = bytes.fromhex(told["signature"]), city.vault.public_key_pem()
    city.close()
    assert not verify_signature(key, line["digest"].encode(), signature)
    assert verify_signature(key, b"citycard key audit line 1\0" + line["digest"].encode(), signature)


def listed(cities):
    return json.loads(run("audit", "--city", cities / "one", "--json").stdout)
