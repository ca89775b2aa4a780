"""Imports point down: a module sees only what lies below it, and a plugin sees only what is public.

An import under TYPE_CHECKING or inside a function counts like any other: it is knowledge all the same.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core"
PLUGINS = ROOT / "plugins"

# Lowest first; packages of one layer do not see one another. The name "" is citycard/__init__.py, the
# front door for plugin authors, which sees everything and is seen by nothing in the core.
LAYERS = (
    ("errors",),
    ("money", "clock", "ids", "files", "processes"),
    ("card", "keys"),
    ("chip", "terminal", "store"),
    ("mifare", "pcsc", "psam", "ledger", "provider"),
    ("wallet", "registry"),
    ("bank",),
    ("clearing",),
    ("exchange",),
    ("kernel",),
    ("city",),
    ("simulate",),
    ("web",),
    ("bench",),
    ("cli",),
    ("testing",),
    ("", "codec"),
)
LEVEL = {package: level for level, layer in enumerate(LAYERS) for package in layer}


def module_name(path: Path, top: Path) -> str:
    parts = path.relative_to(top).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, module: str, *, package: bool = False) -> Iterator[tuple[int, str, str]]:
    """Yield line, module and name of every import; the name is empty for ``import module``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                ups = module.split(".")[: len(module.split(".")) - node.level + package]
                base = ".".join([*ups, *filter(None, [node.module])])
            for alias in node.names:
                yield node.lineno, base, alias.name
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func).rpartition(".")[2]
            first = node.args[0]
            if called in {"import_module", "__import__"} and isinstance(first, ast.Constant):
                yield node.lineno, str(first.value), ""


def core_package(module: str) -> str:
    return [*module.split("."), ""][1]


def core_violations(source: str, module: str, *, package: bool = False) -> list[str]:
    """Say every import of a core module that does not point down."""
    own = core_package(module)
    found = [] if own in LEVEL else [f"{module}: package {own!r} has no layer: add it to LAYERS"]
    for line, target, name in imports(source, module, package=package):
        top = target.split(".")[0]
        if top.startswith("citycard_"):
            found.append(f"{module}:{line} imports the plugin {top}")
        if top != "citycard" or own not in LEVEL or (target, name) == ("citycard", "__version__"):
            continue
        # "from citycard import money" names the package in the name.
        seen = core_package(target) or (name if name in LEVEL else "")
        if seen not in LEVEL:
            found.append(f"{module}:{line} imports {target}, which has no layer")
        elif seen != own and LEVEL[seen] >= LEVEL[own]:
            found.append(f"{module}:{line} imports {target or 'citycard'} {name}".rstrip() + ", not below it")
    return found


def public_names(path: Path) -> set[str]:
    """Return what a file says is public: its ``__all__``, or those of the modules it takes whole."""
    taken: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            taken |= public_names(path.parent / f"{str(node.module).rpartition('.')[2]}.py")
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return (
                set(ast.literal_eval(node.value)) if isinstance(node.value, (ast.List, ast.Tuple)) else set()
            )
    return taken


def file_of(module: str, top: Path) -> Path | None:
    base = top.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def plugin_violations(source: str, module: str, *, package: bool = False, core: Path = CORE) -> list[str]:
    """Say every import by which a plugin reaches past the public names of the core."""
    own = module.split(".", maxsplit=1)[0]
    found = []
    for line, target, name in imports(source, module, package=package):
        top = target.split(".")[0]
        if top.startswith("citycard_") and top != own:
            found.append(f"{module}:{line} imports another plugin, {top}")
        if top != "citycard":
            continue
        path = file_of(target, core)
        inner = file_of(f"{target}.{name}", core)
        if path is None:
            found.append(f"{module}:{line} imports {target}, which does not exist")
        elif any(part.startswith("_") for part in [*target.split("."), name]):
            found.append(f"{module}:{line} imports {target}.{name}, which is private")
        elif not name:
            found.append(f"{module}:{line} imports the module {target}: import its public names instead")
        elif inner is not None:
            found += [
                f"{module}:{used} uses {attribute}, which is not in __all__ of {target}.{name}"
                for used, attribute in attributes(source, name)
                if attribute not in public_names(inner)
            ]
        elif name not in public_names(path):
            found.append(f"{module}:{line} imports {name}, which is not in __all__ of {target}")
    return found


def attributes(source: str, name: str) -> Iterator[tuple[int, str]]:
    """Yield line and attribute of every ``name.attribute``, also where the module was renamed."""
    tree = ast.parse(source)
    aliases = [one for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for one in node.names]
    called = {one.asname or one.name for one in aliases if one.name == name}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in called:
            yield node.lineno, node.attr


def test_every_import_of_the_core_points_down():
    found = [
        violation
        for path in sorted((CORE / "citycard").rglob("*.py"))
        if "migrations" not in path.parts
        for violation in core_violations(
            path.read_text(), module_name(path, CORE), package=path.name == "__init__.py"
        )
    ]
    assert found == []


def test_plugins_import_only_public_names_and_never_one_another():
    found = [
        violation
        for plugin in sorted(path for path in PLUGINS.iterdir() if path.is_dir())
        for path in sorted(plugin.rglob("*.py"))
        if "migrations" not in path.parts
        for violation in plugin_violations(
            path.read_text(), module_name(path, plugin), package=path.name == "__init__.py"
        )
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "from citycard.clearing import run",
        "import citycard.city",
        "from citycard import city",
        "from citycard import hookimpl",
        "from citycard.chip import Chip",
        "from ..kernel import Plugins",
        "def late():\n    from citycard.web import application",
        "if TYPE_CHECKING:\n    from citycard.wallet.ledger import Ledger",
        "import_module('citycard.kernel.plugins')",
        "from citycard.elsewhere import Thing",
        "import citycard_transit.fares",
    ],
)
def test_an_import_that_points_up_or_sideways_is_found(source):
    assert len(core_violations(source, "citycard.terminal.session")) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from citycard.keys.purse import load_mac1",
        "from . import record",
        "from citycard import money",
        "import os",
    ],
)
def test_an_import_that_points_down_is_fine(source):
    assert core_violations(source, "citycard.terminal.session") == []


def test_a_package_without_a_layer_is_found():
    assert core_violations("import os", "citycard.shop.till") == [
        "citycard.shop.till: package 'shop' has no layer: add it to LAYERS"
    ]


def test_a_relative_import_of_a_package_starts_at_the_package():
    assert list(imports("from .record import A", "citycard.terminal", package=True)) == [
        (1, "citycard.terminal.record", "A")
    ]
    assert list(imports("from ..money import yuan", "citycard.card.codec")) == [(1, "citycard.money", "yuan")]


@pytest.mark.parametrize(
    "source",
    [
        "from citycard_retail.tables import goods",
        "from citycard.keys.cipher import _ECB",
        "from citycard.keys.nowhere import thing",
        "from citycard.keys.cipher import TripleDES",
        "import citycard.keys.cipher",
        "from citycard.keys import cipher as c\nc.TripleDES(b'')",
        "def late():\n    from citycard_water import plugin",
    ],
)
def test_a_plugin_that_reaches_past_the_public_names_is_found(source):
    assert len(plugin_violations(source, "citycard_transit.gates")) == 1


def test_a_plugin_may_import_public_names_and_its_own_modules():
    source = (
        "from citycard.keys import KeyPurpose, purse as p\nfrom citycard_transit._private import x\n"
        "import attrs\np.load_mac1(attrs.x)"
    )
    assert plugin_violations(source, "citycard_transit.gates") == []
