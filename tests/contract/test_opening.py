"""What opening a city with every domain brings along: each command pays for it, whatever it is about."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from citycard.city import City

EXAMPLE = Path(__file__).parents[2] / "examples" / "haibin" / "city.toml"
OPEN = """
import sys
from pathlib import Path
from citycard.city import City

reports = City.open(Path(sys.argv[1])).plugins.reports()
print(sum(report.running for report in reports), *sys.modules)
"""
# What migrates tables, answers requests, counts records by the million or moves money.
HEAVY = ("alembic", "starlette", "anyio", "jinja2", "numpy", "pyarrow", "duckdb", "asn1crypto", "pkcs11")
OURS = ("citycard.web.", "citycard.registry.", "citycard.ledger.ledger", "citycard.wallet.tables")


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Give how many plugins run in the example city, and every module that opening it imports."""
    folder = tmp_path_factory.mktemp("haibin") / "city"
    city = City.create(folder, EXAMPLE)
    city.create_hierarchy("health")
    city.close()
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(folder)], capture_output=True, text=True, check=True
    )
    running, *modules = done.stdout.split()
    return int(running), set(modules)


def test_every_domain_of_the_example_runs(opened):
    assert opened[0] == 8


def test_no_library_is_imported_that_only_work_needs(opened):
    assert {name.partition(".")[0] for name in opened[1]} & set(HEAVY) == set()


def test_nothing_of_the_city_is_imported_that_only_work_needs(opened):
    assert sorted(name for name in opened[1] if name.startswith(OURS)) == []
