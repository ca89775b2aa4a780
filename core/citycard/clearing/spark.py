"""Do the work of a run on a Spark cluster.

Each piece of work is a job of one task, submitted as soon as it is known: so what is known of the next
bucket is gathered while the cluster judges the one before. Why its bytes go through an RDD and not through a
data frame: docs/decisions/engines.md.
"""

from __future__ import annotations

import os
import pickle
import re
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from itertools import takewhile
from pathlib import Path
from typing import Any

from citycard.clearing.bucket import Bucket
from citycard.clearing.context import ClearingContext, Worker
from citycard.clearing.engines import in_flight
from citycard.clearing.rating import Asked
from citycard.clearing.work import Done, Work, perform
from citycard.errors import (
    CitycardError,
    JavaFailed,
    JavaMissing,
    SparkFailed,
    SparkIdle,
    SparkPackageMissing,
    SparkUnreachable,
)

__all__ = ["Spark", "check_installed"]

_REACH_S = 5.0
_LOOK_S = 1.0
_IDLE_S = 60.0
_LOCAL = "spark-local"
_JAVA_CLASS = re.compile(r"^(?:[a-z]\w*\.)+[A-Z]\w*: ")


class Spark:
    """A cluster, by the URL of its master. ``idle_s`` is how long it may have no executor for the work."""

    def __init__(self, name: str, *, idle_s: float = _IDLE_S) -> None:
        self.name = name
        self._idle_s = idle_s

    def done(
        self, context: ClearingContext, works: Iterable[tuple[Work, Bucket]]
    ) -> Generator[Done, None, None]:
        """Yield what each piece of work came to as it ends.

        What a worker raises is raised here. Raise SparkPackageMissing, JavaMissing, JavaFailed,
        SparkUnreachable, SparkIdle or SparkFailed. Spark itself does again what a worker that died had begun.
        """
        check_installed()
        self._reach()
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        recipe = pickle.dumps(context.worker)
        try:
            with self._session() as spark:
                cores = spark.defaultParallelism
                watch = partial(self._watch, spark, _Since())
                with ThreadPoolExecutor(cores + 1) as threads:
                    try:
                        yield from in_flight(
                            works,
                            lambda work, _: threads.submit(_ask, spark, recipe, work),
                            cores + 1,
                            watch=watch,
                            every_s=_LOOK_S,
                        )
                    finally:
                        # Nothing is left but when the run is broken off: then nobody waits for the rest.
                        _cancel(spark)
        except (Py4JError, PySparkException) as error:
            raise SparkFailed(master=self.name, reason=_reason(error)) from error

    def _master(self) -> str:
        if self.name.startswith(_LOCAL):
            return f"local[{self.name.removeprefix(_LOCAL).removeprefix(':') or '*'}]"
        return self.name

    def _reach(self) -> None:
        """Knock at the masters before Spark does, which would try for a minute and say much."""
        if self.name.startswith(_LOCAL):
            return
        trouble = ""
        for place in self.name.removeprefix("spark://").split(","):
            host, _, port = place.rpartition(":")
            try:
                socket.create_connection((host.strip("[]"), int(port)), _REACH_S).close()
            except (OSError, OverflowError, UnicodeError) as error:
                trouble = str(error)
            else:
                return
        raise SparkUnreachable(master=self.name, reason=trouble)

    @contextmanager
    def _session(self) -> Iterator[Any]:
        from py4j.protocol import Py4JError
        from pyspark import SparkConf, SparkContext
        from pyspark import __version__ as spark_version

        conf = SparkConf().setMaster(self._master()).setAppName("citycard clearing")
        conf.set("spark.ui.enabled", "false").set("spark.ui.showConsoleProgress", "false")
        # A bucket of a large city is known by tens of megabytes.
        conf.set("spark.rpc.message.maxSize", "1024").set("spark.driver.maxResultSize", "0")
        if path := os.environ.get("PYTHONPATH"):
            conf.set("spark.executorEnv.PYTHONPATH", path)
        gateway = _gateway()
        try:
            spark = SparkContext(conf=conf, gateway=gateway)
        except Py4JError as error:
            reason = f"{_reason(error)} Is it a master of Spark {spark_version}?"
            raise SparkFailed(master=self.name, reason=reason) from error
        spark.pythonExec = os.environ.get("PYSPARK_PYTHON", sys.executable)
        try:
            yield spark
        finally:
            spark.stop()

    def _watch(self, spark: Any, since: _Since) -> None:
        # The driver is in the list itself; in a Spark within one machine it is the only one.
        executors = spark._jsc.sc().getExecutorMemoryStatus().size() - 1  # noqa: SLF001 - no other way to ask
        if executors or self.name.startswith(_LOCAL):
            since.again()
        elif since.seconds > self._idle_s:
            raise SparkIdle(master=self.name, seconds=round(self._idle_s))


class _Since:
    def __init__(self) -> None:
        self.again()

    def again(self) -> None:
        self._at = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._at


def check_installed() -> None:
    """Raise SparkPackageMissing or JavaMissing when Spark cannot be used from this machine."""
    from importlib.util import find_spec

    if find_spec("pyspark") is None:
        raise SparkPackageMissing
    home = os.environ.get("JAVA_HOME")
    if not (Path(home, "bin", "java").exists() if home else shutil.which("java")):
        raise JavaMissing(package="openjdk-17-jre-headless")


@cache
def _gateway() -> Any:
    """Start the Java process through which this one uses Spark; it ends with this process.

    What it says is kept in a file that nobody sees: a person at the keyboard is told one sentence instead.
    """
    from pyspark import SparkConf
    from pyspark.errors import PySparkException
    from pyspark.java_gateway import launch_gateway

    with tempfile.TemporaryFile() as said:
        try:
            return launch_gateway(SparkConf(), popen_kwargs={"stdout": said, "stderr": said})
        except PySparkException as error:
            said.seek(0)
            lines = said.read().decode("utf-8", "replace").split("\n")
            raise JavaFailed(said=next(filter(None, map(str.strip, lines)), str(error))) from error


def _ask(spark: Any, recipe: bytes, work: Work) -> Done:
    sent = spark.parallelize([pickle.dumps(work)], 1)
    (answer,) = sent.mapPartitions(partial(_answers, recipe)).collect()
    found: Done | CitycardError = pickle.loads(answer)  # noqa: S301 - our own workers
    if isinstance(found, CitycardError):
        raise found
    return found


def _answers(recipe: bytes, works: Iterable[bytes]) -> Iterator[bytes]:
    """Do the work that came to this worker. What a user must be told is an answer, not a failed task."""
    for work in works:
        try:
            done = perform(_worker(recipe), pickle.loads(work), _asked(recipe))  # noqa: S301 - our own driver
        except CitycardError as error:
            yield pickle.dumps(error)
        else:
            yield pickle.dumps(done)


@cache
def _worker(recipe: bytes) -> Worker:
    made: Callable[[], Worker] = pickle.loads(recipe)  # noqa: S301 - from our own driver
    return made()


@cache
def _asked(_: bytes) -> Asked:
    return Asked()


def _cancel(spark: Any) -> None:
    from py4j.protocol import Py4JError

    try:
        spark.cancelAllJobs()
    except Py4JError:
        # Its Java process is gone, and all jobs with it.
        return


def _reason(error: Exception) -> str:
    """Take the one line out of Spark's many: what Python said last in a worker, else what Java said first."""
    lines = str(getattr(error, "java_exception", None) or error).splitlines() or [type(error).__name__]
    start = next((place for place, line in enumerate(lines) if "Traceback (most recent" in line), len(lines))
    said = list(takewhile(lambda line: not line.startswith("\tat "), lines[start + 1 :]))
    told = [line for line in said if line and not line[0].isspace()]
    return told[-1] if told else _JAVA_CLASS.sub("", lines[0])
