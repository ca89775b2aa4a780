"""A real Chromium on a real server of a real morning: a process each, on loopback, gone afterwards."""

from __future__ import annotations

import datetime as dt
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

ROOT = Path(__file__).parents[2]
CALL = [sys.executable, "-c", "from citycard.cli.main import main; main()"]
LIVED = (
    *("--domains", "all", "--days", "2", "--cards", "150", "--terminals", "100", "--records", "1500"),
    *("--start", (dt.date.today() - dt.timedelta(days=2)).isoformat()),  # noqa: DTZ011 - a day of this machine
)
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en",
)


def program(name, package):
    """Find a program, or say which Debian package has it."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not installed: apt-get install {package}")
    return found


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A city that played a small generated morning."""
    folder = tmp_path_factory.mktemp("browser") / "city"
    call = [*CALL, "replay", "morning", "--taps", "2000", "--no-progress", "--city", str(folder)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@contextmanager
def served(folder):
    """Serve a city in a process of its own; give the address, and the link that signs its operator in."""
    call = [*CALL, "serve", "--city", str(folder), "--port", "0", "--quiet"]
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        guard = threading.Timer(60, process.kill)
        guard.start()
        address, link = (process.stdout.readline().strip().rpartition(" ")[2] for _ in range(2))
        guard.cancel()
        assert link.startswith(address), "the server did not start"
        yield address, link
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


@pytest.fixture(scope="session")
def server(folder):
    """The address of a server of that city, and its sign-in link."""
    with served(folder) as addresses:
        yield addresses


@pytest.fixture(scope="session")
def haibin(tmp_path_factory):
    """The folder of a city in which all domains lived for two days, and the numbers of its accounts."""
    folder = tmp_path_factory.mktemp("haibin") / "city"
    calls = [
        ["city", "create", str(folder), "--config", str(ROOT / "examples" / "haibin" / "city.toml")],
        ["key", "hierarchy", "create", "health", "--city", str(folder)],
        ["simulate", str(folder / "lived"), *LIVED, "--city", str(folder)],
    ]
    for call in calls:
        done = subprocess.run([*CALL, *call], capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def haibin_server(haibin):
    """The address of a server of that city, and its sign-in link."""
    with served(haibin) as addresses:
        yield addresses


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """One Chromium for all tests; each gets it without cookies."""
    options = Options()
    options.binary_location = program("chromium", "chromium")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    # What pages report about themselves, broken policies included, is read by the tests.
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(program("chromedriver", "chromium-driver")))
    driver.set_page_load_timeout(60)
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium, server):
    """The browser of somebody who has never been here, with a wide window."""
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    chromium.set_window_size(1280, 900)
    chromium.get(server[0])
    chromium.get_log("browser")
    return chromium


@pytest.fixture
def operator(browser, server):
    """The browser of an operator, signed in by the link that the server printed."""
    browser.get(server[1])
    return browser
