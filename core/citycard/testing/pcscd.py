"""A private PC/SC service with virtual readers for the length of a test run: the real pcscd, the real driver.

pcscd keeps its socket in ``/run/pcscd`` and nowhere else. So it gets a ``/run`` of its own, in a mount
namespace, as root or as a user; clients find it through ``PCSCLITE_CSOCK_NAME``. Where neither is allowed, as
in some containers, root may start the one service of the machine, for one test run at a time.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

from citycard.errors import PcscDriverMissing, PcscServiceFailed
from citycard.pcsc.readerconf import DRIVER, SLOTS_OF_A_DRIVER, Slot, write_reader_conf

__all__ = ["PcscService"]

SOCKET_VARIABLE = "PCSCLITE_CSOCK_NAME"
_PUBLIC = Path("/run/pcscd/pcscd.comm")
_START_S = 10.0
# Below the ports that the kernel gives to outgoing connections.
_PORTS = range(20000, 32000, SLOTS_OF_A_DRIVER)
_PROGRAMS = ("/usr/sbin", "/usr/local/sbin")


class PcscService:
    """Run pcscd with ``readers`` virtual readers of two slots each, while the context lasts.

    ``slots`` are their names and ports; ``environment`` is what a client needs to find the service.
    ``stop`` and ``start`` are what a reader that is unplugged and plugged in again looks like to clients.
    Raises PcscDriverMissing where it cannot run here, PcscServiceFailed where it does not come up.
    """

    def __init__(self, readers: int = 2, driver: Path = DRIVER) -> None:
        program = shutil.which("pcscd", path=os.pathsep.join([os.environ.get("PATH", ""), *_PROGRAMS]))
        if program is None:
            raise PcscDriverMissing(missing="pcscd is not installed")
        if not driver.exists():
            raise PcscDriverMissing(missing=f"{driver} is not installed")
        self._program = program
        self._prefix = _namespace()
        self._lock: IO[str] | None = None if self._prefix else _public_lock()
        # A socket's path may have 107 bytes, and pytest's folders are longer than that.
        self._folder = Path(tempfile.mkdtemp(prefix="ccp-"))
        (self._folder / "run").mkdir()
        self.slots: list[Slot] = write_reader_conf(self._folder / "conf", _free_ports(readers), driver=driver)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def socket(self) -> Path:
        """Where the service listens for clients."""
        return self._folder / "run" / "pcscd" / "pcscd.comm" if self._prefix else _PUBLIC

    @property
    def environment(self) -> dict[str, str]:
        """Return the variable by which a client finds this service."""
        return {SOCKET_VARIABLE: str(self.socket)}

    def start(self) -> None:
        """Start the service and wait until clients and cards can connect; nothing when it runs."""
        if self._process is not None:
            return
        shutil.rmtree(self.socket.parent, ignore_errors=True)
        options = ["--foreground", "--config", str(self._folder / "conf")]
        said = subprocess.run([self._program, "--help"], capture_output=True, text=True, check=False)  # noqa: S603
        if "--disable-polkit" in said.stdout + said.stderr:
            options.append("--disable-polkit")
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program and arguments
                [*self._prefix, str(self._folder / "run"), self._program, *options]
                if self._prefix
                else [self._program, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + _START_S
        while not (self.socket.exists() and all(_listening(slot.port) for slot in self.slots)):
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                told = (self._folder / "log").read_text(errors="replace").strip()
                raise PcscServiceFailed(said=told[-1000:] or "it said nothing")
            time.sleep(0.05)

    def stop(self, *, kill: bool = False) -> None:
        """Stop the service, or with ``kill`` let it die in the middle of what it does."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill() if kill else process.terminate()
        try:
            process.wait(_START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """Stop the service and remove its files."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()

    @contextlib.contextmanager
    def in_environment(self) -> Iterator[Self]:
        """Let this process's own PC/SC library find the service; it looks once, at its first call."""
        before = os.environ.get(SOCKET_VARIABLE)
        os.environ.update(self.environment)
        try:
            yield self
        finally:
            if before is None:
                del os.environ[SOCKET_VARIABLE]
            else:
                os.environ[SOCKET_VARIABLE] = before


def _namespace() -> list[str]:
    """Return the command under which a program gets a /run of its own, or nothing where that is not allowed.

    Its first argument is the folder that becomes /run, the rest is the program.
    """
    script = 'mount --bind "$1" /run && shift && exec "$@"'
    for options in (["--mount"], ["--mount", "--map-root-user"]):
        command = ["unshare", *options, "sh", "-c", script, "sh"]
        with contextlib.suppress(OSError):
            tried = [*command, tempfile.gettempdir(), "true"]
            if subprocess.run(tried, capture_output=True, check=False).returncode == 0:  # noqa: S603
                return command
    return []


def _public_lock() -> IO[str]:
    """Have the machine's one service to ourselves: wait for other test runs, refuse where it is in use."""
    if os.getuid() != 0:
        raise PcscDriverMissing(missing="a user may neither have a mount namespace nor start the service")
    lock = (Path(tempfile.gettempdir()) / "citycard-pcscd.lock").open("w", encoding="ascii")
    fcntl.flock(lock, fcntl.LOCK_EX)
    if _PUBLIC.exists():
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.connect(str(_PUBLIC))
            lock.close()
            raise PcscDriverMissing(
                missing="the machine's own service runs, and no mount namespace is allowed"
            )
    return lock


def _free_ports(count: int) -> list[int]:
    """Return the first of two free ports, ``count`` times; random, so that test runs do not meet."""
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        if all(_free(port + slot) for slot in range(SLOTS_OF_A_DRIVER)):
            found.append(port)
        if len(found) == count:
            return found
    raise PcscDriverMissing(missing=f"no free ports between {_PORTS.start} and {_PORTS.stop}")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def _listening(port: int) -> bool:
    """Look at the kernel's table: a connection made to find out would be taken for a card."""
    wanted = f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[1].endswith(wanted) and fields[3] == "0A":
                    return True
    return False
