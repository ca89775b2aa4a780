"""What declaring the plugin costs whoever opens a city."""

from __future__ import annotations

import subprocess
import sys

DECLARED = (
    "deskweb",
    "events",
    "fees",
    "health",
    "identity",
    "jobs",
    "office",
    "officepages",
    "pages",
    "personal",
    "routes",
    "sectors",
    "services",
    "tables",
    "web",
)
HEAVY = ("citycard.city.", "citycard.clearing.", "numpy", "pyarrow", "duckdb", "fhir", "pydantic")


def test_what_is_declared_brings_nothing_that_only_work_needs() -> None:
    """Of clearing the rules' own words alone are there: whoever declares a rule needs them."""
    words = (
        "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]; print(*sys.modules)"
    )
    names = [f"citycard_egov.{name}" for name in DECLARED]
    done = subprocess.run([sys.executable, "-c", words, *names], capture_output=True, text=True, check=True)
    found = {name for name in done.stdout.split() if name.startswith(HEAVY)}
    assert found == {"citycard.clearing.pricing"}
