"""``citycard serve`` is one process that answers on an address until it is interrupted."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import httpx2 as httpx
import pytest

from citycard.city import City

CITY = '[city]\nname = "Haibin"\ncode = "9901"\n\n[plugins]\nallow = []\n'
CALL = [sys.executable, "-c", "from citycard.cli.main import main; main()", "serve"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    (folder / "template.toml").write_text(CITY)
    City.create(folder / "city", folder / "template.toml").close()
    return folder / "city"


@contextmanager
def served(folder, *options):
    """Run the server on a free port; give the lines of its stdout and, at the end, everything of stderr."""
    call = [*CALL, "--city", str(folder), "--port", "0", *options]
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        guard = threading.Timer(60, process.kill)
        guard.start()
        lines = [process.stdout.readline().strip()]
        if "--no-link" not in options:
            lines.append(process.stdout.readline().strip())
        log = []
        yield lines, log
        process.send_signal(signal.SIGINT)
        log.append(process.communicate(timeout=30)[1])
        log.append(process.returncode)
        guard.cancel()


def test_the_server_prints_where_it_is_and_a_link_that_signs_in(folder):
    with served(folder) as (lines, log):
        address = re.fullmatch(r"Haibin is served at (http://127\.0\.0\.1:\d+)", lines[0])[1]
        link = lines[1].removeprefix("sign in as operator: ")
        with httpx.Client(follow_redirects=True) as browser:
            browser.headers["accept"] = "text/html"
            assert browser.get(f"{address}/plugins").status_code == 401
            assert browser.get(link).status_code == 200
            page = browser.get(f"{address}/plugins")
        assert (page.status_code, "Operator" in page.text) == (200, True)
    stderr, code = log
    secret = link.rpartition("=")[2]
    assert code == 0
    assert ("GET /sign-in 303" in stderr, secret in stderr, "Traceback" in stderr) == (True, False, False)
    assert "server" not in {name.lower() for name in page.headers}


def test_the_link_and_the_log_can_be_left_out(folder):
    with served(folder, "--no-link", "--quiet") as (lines, log):
        assert httpx.get(f"{lines[0].rpartition(' ')[2]}/api/health").json()["well"]
    assert "GET" not in log[0]


def test_a_port_that_is_taken_is_one_clear_line(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*CALL, "--city", str(folder), "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        f"citycard: cannot listen on 127.0.0.1:{port} (Address already in use): "
        "choose another with --host and --port\n"
    )


def test_a_folder_without_a_city_is_one_clear_line(tmp_path):
    done = subprocess.run(
        [*CALL, "--city", str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
