"""What campus declares: cheaply, and without ways to write by a permission to read."""

import subprocess
import sys

from citycard_campus.routes import PAGES, ROUTES

HEAVY = {
    "numpy",
    "pyarrow",
    "duckdb",
    "citycard.city.accounts",
    "citycard.city.charging",
    "citycard.city.till",
}
# What a plugin names its prices and hears events with.
LIGHT = {"citycard.clearing.pricing", "citycard.clearing.events"}


def test_declaring_brings_no_clearing_along():
    """Each command of the city does it, whatever it is about."""
    names = [
        f"citycard_campus.{name}"
        for name in ("plugin", "routes", "web", "pages", "jobs", "services", "personal")
    ]
    code = (
        "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded >= set(names)
    assert loaded & HEAVY == set()
    assert {name for name in loaded if name.startswith("citycard.clearing.")} <= LIGHT


def test_nobody_writes_by_a_permission_to_read():
    unsafe = [route for route in (*ROUTES, *PAGES) if set(route.methods) - {"GET", "HEAD"}]
    assert unsafe
    assert [route.path for route in unsafe if ".read-" in route.permission] == []
