"""Errors of the engines that do the work of a clearing run."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "EngineUnknown",
    "JavaFailed",
    "JavaMissing",
    "SparkClusterFailed",
    "SparkFailed",
    "SparkIdle",
    "SparkPackageMissing",
    "SparkUnreachable",
    "WorkerDied",
    "WorkerDiffers",
]


class EngineUnknown(CitycardError):
    """No engine has that name."""

    exit_code = 2
    sentence = (
        "engine {engine!r} is not known: "
        "expected local, pool, pool:N, spark://HOST:PORT, spark-local or spark-local:N, with N from 1 on"
    )


class WorkerDied(CitycardError):
    """A process of the pool ended in the midst of its work."""

    status, exit_code = 503, 4
    sentence = (
        "a process of {engine} was killed, perhaps for want of memory: nothing is posted; "
        "run `citycard clearing run` again, with fewer processes or with --engine local"
    )


class WorkerDiffers(CitycardError):
    """A worker would judge by something else than whoever gave it the work."""

    status, exit_code = 409, 5
    sentence = (
        "a worker has other {what} than this machine ({theirs}, here {ours}): install the same plugins "
        "in the same versions on all of them, and run `citycard clearing run` again"
    )


class SparkPackageMissing(CitycardError):
    """The library that talks to Spark is not installed."""

    status, exit_code = 503, 4
    sentence = (
        "pyspark is not installed, so Spark cannot be used: pip install 'citycard[spark]', "
        "from a clone pip install -e 'core[spark]'"
    )


class JavaMissing(CitycardError):
    """Spark needs Java, and there is none."""

    status, exit_code = 503, 4
    sentence = (
        "no Java was found under JAVA_HOME or on the path, so Spark cannot be used: install Java 17 "
        "or newer, on Debian 12 the package {package}"
    )


class JavaFailed(CitycardError):
    """Java is there, and does not start what Spark is."""

    status, exit_code = 503, 4
    sentence = "Java did not start Spark: {said} (Spark needs Java 17 or newer)"


class SparkUnreachable(CitycardError):
    """Nobody answers where the master of the cluster should be."""

    status, exit_code = 503, 4
    sentence = "no Spark master answers at {master} ({reason}): start it, or correct the engine"


class SparkIdle(CitycardError):
    """The cluster's master takes the work, and no worker does it."""

    status, exit_code = 503, 4
    sentence = (
        "{master} gave no worker for {seconds} seconds: look whether its workers are registered and free, "
        "and run `citycard clearing run` again"
    )


class SparkFailed(CitycardError):
    """Spark gave up, or a worker failed by what is no error of citycard."""

    status, exit_code = 503, 4
    sentence = "Spark at {master} failed: {reason}; nothing is posted, run `citycard clearing run` again"


class SparkClusterFailed(CitycardError):
    """A process of the cluster that tests start did not come up."""

    exit_code = 4
    sentence = "Spark's {role} did not start: {said}"
