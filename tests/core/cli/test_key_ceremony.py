"""A ceremony at the keyboard: typed without echo, interrupted, taken up again, and proven afterwards."""

import json
import stat
import subprocess
import sys

import pytest
from click.testing import CliRunner

from citycard.city import City
from citycard.cli.key import group
from citycard.errors import CeremonyInvalid, CeremonyOutOfOrder, ComponentInvalid, ComponentWrong, VaultExists
from citycard.keys import FileVault, KeyHierarchy
from citycard.keys.ceremony import Ceremony
from citycard.keys.shamir import combine_xor, value_at

CITYCARD = (sys.executable, "-c", "from citycard.cli.main import main; main()")
CITY = '[city]\nname = "Haibin"\ncode = "9901"\n'
ISSUER = bytes.fromhex("01019901FFFFFFFF")
ASN8 = bytes.fromhex("0000000012345678")


def run(*arguments, typed=""):
    done = CliRunner().invoke(group, [str(one) for one in arguments], input=typed, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def room(tmp_path):
    """Return a room with two signers' keys and a city's folder that has no vault yet."""
    for name in ("li", "zhou"):
        run("ceremony", "signer", tmp_path / f"{name}.pem")
    (tmp_path / "city").mkdir()
    (tmp_path / "city" / "city.toml").write_text(CITY)
    return tmp_path


def start(room, *more, names=("Zhao", "Qian", "Sun")):
    people = [word for name in names for word in ("--custodian", name)]
    signers = ("--officer", "Li", room / "li.pem.pub", "--witness", "Zhou", room / "zhou.pem.pub")
    run("ceremony", "start", room / "c.json", *people, *signers, *more)
    return room / "c.json"


def part(room, name):
    text = (room / f"{name}.txt").read_text()
    return bytes.fromhex(text.split("key:")[1].replace(" ", ""))


def sign_and_verify(room, file):
    for name in ("li", "zhou"):
        run("ceremony", "sign", file, "--key", room / f"{name}.pem")
    return run("ceremony", "verify", file).stdout


def test_a_root_of_three_components_makes_the_city(room):
    file = start(room)
    for name in ("Zhao", "Qian", "Sun"):
        run("ceremony", "contribute", file, name, "--to", room / f"{name}.txt")
        assert stat.S_IMODE((room / f"{name}.txt").stat().st_mode) == 0o600
    parts = {number: part(room, name) for number, name in enumerate(("Zhao", "Qian", "Sun"), 1)}
    files = [word for name in ("Zhao", "Qian", "Sun") for word in ("--component", room / f"{name}.txt")]
    done = run("ceremony", "finish", file, *files, "--city", room / "city")
    city = City.open(room / "city")
    expected = KeyHierarchy.from_root(combine_xor(parts), ISSUER).card_key("load", 1, ASN8)
    assert expected == city.vault.card_key("load", ASN8)
    city.close()
    text = sign_and_verify(room, file)
    for shown in (done.output, text, file.read_text(), (room / "c.txt").read_text()):
        for secret in (*parts.values(), combine_xor(parts)):
            assert secret.hex() not in shown.lower()


def test_components_are_typed_unseen_and_a_wrong_one_is_told_by_its_check_value(room):
    file = start(room, names=("Zhao", "Qian"))
    shown = run("ceremony", "contribute", file, "Zhao").stdout
    typed = shown.split("key:")[1].strip()
    run("ceremony", "contribute", file, "Qian", "--to", room / "Qian.txt")
    qian = part(room, "Qian").hex()
    with pytest.raises(ComponentWrong, match="component 2 of Qian does not agree"):
        run("ceremony", "finish", file, "--city", room / "city", typed=f"{typed}\n{'0' * 32}\n")
    with pytest.raises(ComponentInvalid, match="it must be 32 hex digits"):
        run("ceremony", "finish", file, "--city", room / "city", typed=f"{typed}\nabc\n")
    done = run("ceremony", "finish", file, "--city", room / "city", typed=f"{typed}\n{qian}\n")
    assert typed not in done.output
    assert qian not in done.output


def test_two_of_three_are_enough_and_the_third_gets_a_share(room):
    file = start(room, "--scheme", "shamir", "--needed", 2)
    for name in ("Zhao", "Qian"):
        run("ceremony", "contribute", file, name, "--to", room / f"{name}.txt")
    files = [word for name in ("Zhao", "Qian") for word in ("--component", room / f"{name}.txt")]
    (room / "shares").mkdir()
    for _ in range(2):  # an interrupted finish is called again
        run("ceremony", "finish", file, *files, "--shares", room / "shares", "--city", room / "city")
    root = value_at({1: part(room, "Zhao"), 2: part(room, "Qian")}, 0)
    third = bytes.fromhex((room / "shares" / "share-3.txt").read_text().split("key:")[1])
    assert root == value_at({2: part(room, "Qian"), 3: third}, 0)
    assert "Component 3: Sun" in sign_and_verify(room, file)


def test_an_interrupted_finish_takes_the_vault_that_it_made_and_no_other(room):
    file = start(room, names=("Zhao", "Qian"))
    for name in ("Zhao", "Qian"):
        run("ceremony", "contribute", file, name, "--to", room / f"{name}.txt")
    root = combine_xor({1: part(room, "Zhao"), 2: part(room, "Qian")})
    City.create(room / "city", room / "city" / "city.toml", root=root).close()
    files = [word for name in ("Zhao", "Qian") for word in ("--component", room / f"{name}.txt")]
    (room / "other").mkdir()
    (room / "other" / "city.toml").write_text(CITY)
    City.create(room / "other", room / "other" / "city.toml").close()
    with pytest.raises(VaultExists):
        run("ceremony", "finish", file, *files, "--city", room / "other")
    run("ceremony", "finish", file, *files, "--city", room / "city")
    assert Ceremony.read(file).outcome == "made the vault of the city"


def test_a_foreign_key_comes_in_by_its_components_and_check_values(room):
    City.create(room / "city", room / "city" / "city.toml").close()
    parts = {1: bytes(range(16)), 2: bytes(range(32, 40)) + bytes(range(80, 88))}
    file = start(room, "--purpose", "load", names=("Zhao", "Qian"))
    with pytest.raises(ComponentWrong, match="the component of Zhao"):
        run("ceremony", "contribute", file, "Zhao", "--enter", "--kcv", "000000", typed=f"{parts[1].hex()}\n")
    for number, name in enumerate(("Zhao", "Qian"), 1):
        run("ceremony", "contribute", file, name, "--enter", typed=f"{parts[number].hex()}\n")
    typed = "".join(f"{value.hex()}\n" for value in parts.values())
    with pytest.raises(ComponentWrong, match="the load key does not agree"):
        run("ceremony", "finish", file, "--kcv", "ABCDEF", "--city", room / "city", typed=typed)
    done = run("ceremony", "finish", file, "--city", room / "city", typed=typed)
    assert "brought load version 2 of the city, which waits for its roll-over" in done.stdout
    rows = json.loads(run("list", "--city", room / "city", "--json").stdout)
    waiting = [(row["purpose"], row["version"], row["kcv"]) for row in rows if row["status"] == "waiting"]
    assert waiting == [("load", 2, Ceremony.read(file).kcv)]


def test_a_hierarchy_has_its_own_root_custodians_and_file(room):
    City.create(room / "city", room / "city" / "city.toml").close()
    file = start(room, "--hierarchy", "health", names=("Wu", "Zheng"))
    for name in ("Wu", "Zheng"):
        run("ceremony", "contribute", file, name, "--to", room / f"{name}.txt")
    files = [word for name in ("Wu", "Zheng") for word in ("--component", room / f"{name}.txt")]
    run("ceremony", "finish", file, *files, "--city", room / "city")
    city = City.open(room / "city")
    assert city.hierarchy("health").path.name == "vault-health.bin"
    assert city.hierarchy("health").purposes() == []
    assert isinstance(city.vault, FileVault)
    city.close()


def test_status_says_what_is_next(room):
    file = start(room, names=("Zhao", "Qian"))
    run("ceremony", "contribute", file, "Zhao", "--to", room / "Zhao.txt")
    assert run("ceremony", "status", file).stdout.endswith("Next: contribute: Qian\n")
    assert json.loads(run("ceremony", "status", file, "--json").stdout)["next"] == "contribute: Qian"
    with pytest.raises(CeremonyOutOfOrder, match="Zhao has a component already"):
        run("ceremony", "contribute", file, "Zhao", "--to", room / "again.txt")
    assert not (room / "again.txt").exists()
    with pytest.raises(CeremonyInvalid, match="it is not finished"):
        run("ceremony", "verify", file)


def test_the_component_of_another_ceremony_is_refused(room):
    file = start(room, names=("Zhao", "Qian"))
    run("ceremony", "contribute", file, "Zhao", "--to", room / "Zhao.txt")
    text = (room / "Zhao.txt").read_text().replace(Ceremony.read(file).id, "0" * 16)
    (room / "Zhao.txt").write_text(text)
    with pytest.raises(ComponentInvalid, match="another ceremony"):
        run("ceremony", "finish", file, "--component", room / "Zhao.txt", "--city", room / "city")
    (room / "Zhao.txt").write_text("paper")
    with pytest.raises(ComponentInvalid, match="no component's file"):
        run("ceremony", "finish", file, "--component", room / "Zhao.txt", "--city", room / "city")


def call(*arguments, typed=""):
    """Call it as a script does, without a terminal."""
    words = [*CITYCARD, "key", *map(str, arguments)]
    return subprocess.run(
        words, input=typed, capture_output=True, text=True, check=False, start_new_session=True
    )


def test_without_a_terminal_components_are_lines_of_the_input(room):
    file = start(room, names=("Zhao", "Qian"))
    values = ["00112233445566778899AABBCCDDEEFF", "31415926535897932384626433832795"]
    for name, value in zip(("Zhao", "Qian"), values, strict=True):
        done = call("ceremony", "contribute", file, name, "--enter", typed=f"{value}\n")
        assert (done.returncode, done.stdout) == (0, "")
        assert "Warning" not in done.stderr
    done = call("ceremony", "finish", file, "--city", room / "city", "--json", typed="\n".join(values))
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert (told["outcome"], told["next"][:4]) == ("made the vault of the city", "sign")
    assert values[0] not in done.stdout + done.stderr


def test_an_input_that_ends_says_what_was_expected_and_how_else_to_give_it(room):
    file = start(room, names=("Zhao", "Qian"))
    for name in ("Zhao", "Qian"):
        run("ceremony", "contribute", file, name, "--to", room / f"{name}.txt")
    done = call("ceremony", "finish", file, "--city", room / "city")
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "component 1 of Zhao was expected" in done.stderr
    assert "--component FILE" in done.stderr


def test_every_step_answers_in_json_and_shows_no_component(room):
    made = json.loads(run("ceremony", "signer", room / "wu.pem", "--json").stdout)
    assert made == {"key": str(room / "wu.pem"), "public": str(room / "wu.pem.pub")}
    file = start(room, names=("Zhao", "Qian"))
    bare = CliRunner().invoke(group, ["ceremony", "contribute", str(file), "Zhao", "--json"])
    assert bare.exit_code == 2
    files = []
    for name in ("Zhao", "Qian"):
        part_file = room / f"{name}.txt"
        told = json.loads(run("ceremony", "contribute", file, name, "--to", part_file, "--json").stdout)
        assert (told["custodian"], told["to"], len(told["kcv"])) == (name, str(part_file), 6)
        files += ["--component", part_file]
    done = json.loads(run("ceremony", "finish", file, *files, "--city", room / "city", "--json").stdout)
    assert done["outcome"] == "made the vault of the city"
    for name in ("li", "zhou"):
        signed = json.loads(run("ceremony", "sign", file, "--key", room / f"{name}.pem", "--json").stdout)
    assert signed["protocol"] == str(room / "c.txt")
    holds = json.loads(run("ceremony", "verify", file, "--json").stdout)
    assert holds["holds"] is True
