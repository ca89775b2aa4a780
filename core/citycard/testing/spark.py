"""A real Spark cluster for tests: a master and workers, each a process of its own, gone afterwards.

They are those of pip's pyspark, listen on this machine alone, and keep what they write in a temporary folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from citycard.clearing.spark import check_installed
from citycard.errors import SparkClusterFailed

__all__ = ["SparkCluster"]

_HOST = "127.0.0.1"
_STARTED = re.compile(rf"Starting Spark master at (spark://{_HOST}:\d+)")
_REGISTERED = "Successfully registered with master"
_STARTS_WITHIN_S = 300.0
_ENDS_WITHIN_S = 10.0


class SparkCluster:
    """A cluster that lives as long as a ``with`` block; ``url`` is its master's, once it is entered.

    Each of its workers has one core. Raise SparkPackageMissing or JavaMissing, which name what to install,
    and SparkClusterFailed when it does not start.
    """

    def __init__(self, workers: int = 2) -> None:
        check_installed()
        self._workers = workers
        self._folder = Path(tempfile.mkdtemp(prefix="citycard-spark-"))
        self._ending = ExitStack()
        self._ending.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self.url = ""

    def __enter__(self) -> Self:
        with self._ending:
            self.url = self._start("master.Master", "master", "--port", "0").wait_for(_STARTED)[1]
            workers = [
                self._start(
                    "worker.Worker",
                    f"worker-{number}",
                    *("--cores", "1", "--memory", "1g", "--work-dir", str(self._folder), self.url),
                )
                for number in range(self._workers)
            ]
            for worker in workers:
                worker.wait_for(re.compile(_REGISTERED))
            # All is well: it ends with the block and not before.
            self._ending = self._ending.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.close()

    def _start(self, role: str, name: str, *arguments: str) -> _Process:
        process = _Process(role, self._folder / f"{name}.log", arguments)
        self._ending.callback(process.end)
        return process


class _Process:
    def __init__(self, role: str, log: Path, arguments: tuple[str, ...]) -> None:
        import pyspark

        home = Path(pyspark.__file__).parent
        common = ["--host", _HOST, "--webui-port", "0"]
        self._role, self._log = role, log
        with log.open("wb") as said:
            self._process = subprocess.Popen(  # noqa: S603 - our own arguments
                [
                    str(home / "bin" / "spark-class"),
                    f"org.apache.spark.deploy.{role}",
                    *common,
                    *arguments,
                ],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=os.environ | {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": _HOST},
            )

    def wait_for(self, line: re.Pattern[str]) -> re.Match[str]:
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while time.monotonic() < deadline:
            if found := line.search(self._log.read_text("utf-8", "replace")):
                return found
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        said = self._log.read_text("utf-8", "replace").strip()
        raise SparkClusterFailed(role=self._role, said=said[-2000:])

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
