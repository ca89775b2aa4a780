"""``citycard egov`` from the command line: one line for what is wrong, and an exit code."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from citycard.cli.main import _run
from citycard.ids import new_id
from citycard.testing.town import Town
from citycard_egov import register
from citycard_egov.filing import file_application
from citycard_egov.office import Office

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(town: Town, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str, city: bool = True) -> tuple[int, str, str]:
        capsys.readouterr()
        more = ("--city", str(town.city.folder)) if city else ()
        code = _run(["egov", *words, *more])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def police(tmp_path: Path, number: Callable[..., str]) -> Path:
    file = tmp_path / "police.csv"
    file.write_bytes(
        f"id_number,day,name,address\n{number(1)},2026-02-01,王五,老街\n12,x,y,z\n".encode("gb18030")
    )
    return file


def test_residents_come_in_conflicts_are_settled_and_files_are_shown_with_a_reason(
    town: Town, run: Run, police: Path, office: Office, number: Callable[..., str]
) -> None:
    code, out, err = run("register", "import", "police", str(police))
    assert (code, "day is 'x'" in out, "1 residents; 2 fields are new" in err) == (1, True, True)
    code, out, _ = run("register", "import", "police", str(police), "--json")
    assert (code, json.loads(out)["same"]) == (1, 2)
    civil = police.with_name("civil.csv")
    civil.write_text(f"id_number,day,address\n{number(1)},2026-02-02,harbour\n")
    assert run("register", "import", "civil-affairs", str(civil))[0] == 0
    (conflict,) = json.loads(run("register", "conflicts", "--json")[1])
    assert run("register", "settle", conflict["id"], "education", "--reason", "x")[0] == 3
    code, out, _ = run("register", "settle", conflict["id"], "police", "--reason", "seen", "--json")
    assert (code, json.loads(out)) == (0, {"conflict": conflict["id"], "department": "police"})
    assert run("register", "settle", conflict["id"], "police", "--reason", "seen")[0] == 4

    card = town.card()
    register.link_card(office, number(1), card.asn, actor="clerk")
    assert run("register", "show", card.asn)[0] == 2
    code, out, _ = run("register", "show", card.asn, "--why", "letter", "--field", "address", "--by", "li")
    assert (code, "老街" in out, "王五" in out) == (0, True, False)
    code, out, _ = run("register", "readings", card.asn)
    assert (code, "letter" in out) == (0, True)
    assert run("register", "show", "9" * 20, "--why", "letter")[0] == 4


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", 3, "names no column id_number"),
        (b"\xff\xfe\x80\x81\x00", 3, "no text in UTF-8 or GB 18030"),
        (b"id_number,day,student_until\n", 3, "what police may tell"),
    ],
)
def test_a_file_that_is_none_is_one_line(
    run: Run, tmp_path: Path, content: bytes, code: int, words: str
) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    came = run("register", "import", "police", str(file))
    assert (came[0], words in came[2], came[2].count("\n")) == (code, True, 1)


def test_what_is_overdue_is_an_exit_code(
    town: Town, run: Run, office: Office, number: Callable[..., str]
) -> None:
    card = town.card()
    register.tell(office, number(1), "police", {"name": "Li"}, day=dt.date(2026, 2, 1), actor="t")
    who = register.link_card(office, number(1), card.asn, actor="clerk")
    filed = file_application(office, new_id(), who, card.asn, "hearing", {}, actor="me")
    code, out, _ = run("application", "queue", "--department", "police")
    assert (code, str(filed.id) in out) == (0, True)
    # Commands live by the machine's clock, which is later than the town's.
    code, out, _ = run("application", "overdue", "--json")
    assert (code, json.loads(out)) == (1, {"marked": 1, "overdue": 1})


def test_a_city_without_city_hall_says_how_to_switch_it_on(town: Town, run: Run, police: Path) -> None:
    town.city.plugins.disable("egov", by="test")
    code, _, err = run("register", "import", "police", str(police))
    assert (code, "citycard plugin enable egov" in err) == (5, True)
