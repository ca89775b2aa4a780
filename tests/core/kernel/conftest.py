"""Cities with a handful of plugins: some made here in two lines, some found on disk as if installed."""

from __future__ import annotations

import shutil
import sys
from datetime import datetime
from pathlib import Path
from types import ModuleType

import pytest

from citycard import PluginInfo, codec, hookimpl, layout
from citycard.kernel import Plugins
from citycard.kernel.choices import Choices
from citycard.kernel.discovery import Found, find
from citycard.store import open_store
from citycard.store.migrate import upgrade

ON_DISK = Path(__file__).parent / "data"


@layout(size=4)
class Visits:
    """Four bytes of a zoo's sector."""

    count: int = codec.unsigned(4)


@pytest.fixture
def visits() -> type:
    return Visits


@pytest.fixture
def at():
    """A moment in the city's local time."""
    return datetime(2018, 9, 1, 8, 0)


@pytest.fixture
def plugin():
    """Make an installed plugin of hook functions; ``sectors=[...]`` is short for one that gives the list."""

    def make(name="zoo", *functions, version="1.0", distribution=None, core=">=0.1,<1", requires=(), **hooks):
        module = ModuleType(name)
        who = PluginInfo(name=name, title=name.title(), core=core, requires=requires)
        given = {"citycard_plugin": lambda: who}
        given |= {
            f"citycard_{hook}": answer if callable(answer) else _giving(answer)
            for hook, answer in hooks.items()
        }
        for hook, function in (given | {each.__name__: each for each in functions}).items():
            setattr(module, hook, hookimpl(function))
        return Found.inline(name, module, distribution=distribution or f"citycard-{name}", version=version)

    return make


def _giving(answer):
    return lambda: answer


@pytest.fixture
def city(engine):
    """Open a city in which every plugin given is installed; all are on unless ``enable`` says otherwise."""

    def opened(*installed, enable=None, allow=None, settings=None, engine=engine, **options):
        names = tuple(dict.fromkeys(found.name for found in installed))
        choices = Choices(
            allow=allow, enable=names if enable is None else tuple(enable), plugins=settings or {}
        )
        return Plugins.open(choices, engine, installed=lambda: list(installed), **options)

    return opened


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """A database with the core's tables, to be copied."""
    file = tmp_path_factory.mktemp("kernel") / "city.sqlite"
    engine = open_store(f"sqlite:///{file}")
    upgrade(engine)
    engine.dispose()
    return file


@pytest.fixture
def fresh_engine(migrated, tmp_path):
    """Open another new city's database."""
    engines = []

    def make():
        file = tmp_path / f"city{len(engines)}.sqlite"
        shutil.copy(migrated, file)
        engines.append(open_store(f"sqlite:///{file}"))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def engine(fresh_engine):
    return fresh_engine()


@pytest.fixture
def on_disk(monkeypatch):
    """Install plugins of the folder ``data`` as pip would; return the finder that sees only them."""

    def install(*folders):
        for folder in folders:
            assert (ON_DISK / folder).is_dir()
            monkeypatch.syspath_prepend(str(ON_DISK / folder))
        return lambda: [found for found in find() if found.owner.distribution in _distributions(folders)]

    before = set(sys.modules)
    yield install
    for name in set(sys.modules) - before:
        if str(ON_DISK) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def _distributions(folders):
    return {
        line.removeprefix("Name: ")
        for folder in folders
        for file in (ON_DISK / folder).glob("*.dist-info/METADATA")
        for line in file.read_text().splitlines()
        if line.startswith("Name: ")
    }


@pytest.fixture
def states():
    """Read a city's plugins as name to state and reason."""
    return lambda plugins: {each.name: (each.state.value, each.reason) for each in plugins.reports()}
