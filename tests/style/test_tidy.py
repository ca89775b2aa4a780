"""What every file keeps: its size, no leftovers, reasons beside what needs one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES_MOST = 400
FUNCTION_LINES_MOST = 70
REASON = "Over 400 lines because "
# This file is left out, because it has to name what it looks for.
LEFTOVERS = re.compile(r"\b(TODO|FIXME|XXX)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.}>*-])/(work|home|Users|root)/\w")
# The field has words for what these hide.
EMPTY_NAMES = re.compile(
    r"(Manager|Helper|Utils?|Handler)$|^(process|handle)_data$|^(utils?|helpers?|misc|common)$"
)
# Where a plugin's code is called: only there may any exception be caught.
PLUGIN_CALLS = (
    "core/citycard/kernel/",
    "core/citycard/clearing/explanation.py",  # a fee rule answers, once more
    "core/citycard/clearing/rating.py",  # a service reads its facts
    "core/citycard/clearing/pricing.py",  # a fee rule answers
    "core/citycard/cli/main.py",  # a command runs
    "core/citycard/web/switchboard.py",  # an endpoint answers
)
FOLDERS = ("core", "plugins", "tests", "examples", "benchmarks", "docs", "script", ".ci")
SOURCE = {".py", ".js", ".css", ".html", ".sh", ".toml", ".ini", ".md", ".sql", ""}


def files(*suffixes: str) -> Iterator[Path]:
    """Yield every file of the repository with such an ending, or every text file."""
    top = [path for path in ROOT.iterdir() if path.is_file() and path.suffix in {".md", ".toml", ".ini"}]
    below = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file())
    for path in sorted([*top, *below]):
        hidden = any(part.startswith((".pkg", "__pycache__")) or part == "dist" for part in path.parts)
        if not hidden and path.suffix in (suffixes or SOURCE):
            yield path


def said(path: Path) -> str:
    return str(path.relative_to(ROOT))


def python() -> Iterator[tuple[str, str]]:
    for path in files(".py"):
        text = path.read_text()
        # Among the plugins that tests install is one that cannot even be read.
        if "tests" not in path.parts or parsable(text):
            yield said(path), text


def parsable(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def too_long(text: str) -> bool:
    """Say whether a text has more than 400 lines and gives no reason in its first forty."""
    lines = text.splitlines()
    return len(lines) > LINES_MOST and not any(REASON in line for line in lines[:40])


def long_functions(text: str) -> list[str]:
    return [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.end_lineno - node.lineno >= FUNCTION_LINES_MOST
    ]


def broad_excepts(text: str, where: str) -> list[str]:
    """Say every ``except Exception`` that stands in a wrong place or has no reason on its line or above.

    One that ends in a bare ``raise`` only cleans up and lets everything through.
    """
    lines = text.splitlines()
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.ExceptHandler) or ast.unparse(node.body[-1]) == "raise":
            continue
        caught = {ast.unparse(one) for one in getattr(node.type, "elts", [node.type]) if one is not None}
        if node.type is not None and not caught & {"Exception", "BaseException"}:
            continue
        near = [lines[node.lineno - 1].partition("#")[2], lines[node.lineno - 2].strip().partition("#")[2]]
        words = [re.sub(r"\s*noqa: [A-Z0-9, ]+-?", "", one).split() for one in near]
        if not where.startswith(PLUGIN_CALLS):
            found.append(f"{where}:{node.lineno} catches everything, but calls no plugin here")
        elif not any(len(one) > 2 for one in words):
            found.append(f"{where}:{node.lineno} catches everything without a reason beside it")
    return found


def skips_without_reason(text: str) -> list[int]:
    """Return the lines of skips and expected failures that do not say why."""
    tree = ast.parse(text)
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not ast.unparse(node).startswith("pytest."):
            continue
        if node.attr not in {"skip", "skipif", "xfail", "importorskip"}:
            continue
        call = calls.get(id(node))
        reasons = [] if call is None else [one.value for one in call.keywords if one.arg == "reason"]
        if call is not None and ast.unparse(node) in {"pytest.skip", "pytest.mark.skip", "pytest.xfail"}:
            reasons += call.args[:1]
        if not any(not isinstance(reason, ast.Constant) or reason.value for reason in reasons):
            found.append(node.lineno)
    return found


def test_no_file_is_over_400_lines_without_a_reason():
    kinds = (".py", ".js", ".css", ".html", ".sh", ".toml", ".ini", ".sql", "")
    assert [said(path) for path in files(*kinds) if too_long(path.read_text(errors="replace"))] == []


def test_a_function_fits_a_screen():
    found = [
        f"{where}: {one}"
        for where, text in python()
        if "/migrations/" not in where  # a migration is a list of tables
        for one in long_functions(text)
    ]
    assert found == []


def test_nothing_is_left_for_later():
    found = [
        f"{said(path)}:{number}"
        for path in files()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if LEFTOVERS.search(line)
    ]
    assert found == []


def test_everything_is_caught_only_around_a_plugins_code_and_with_a_reason():
    found = [
        one
        for where, text in python()
        if not where.startswith("tests/")
        for one in broad_excepts(text, where)
    ]
    assert found == []


def test_a_skipped_test_says_why():
    assert [f"{where}:{line}" for where, text in python() for line in skips_without_reason(text)] == []


def test_no_path_of_a_machine_is_written_down():
    found = [
        f"{said(path)}:{number}"
        for path in files()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if MACHINE_PATHS.search(line)
    ]
    assert found == []


def test_names_say_something():
    found = [
        f"{where}: {name}"
        for where, text in python()
        for name in [
            Path(where).stem,
            *(
                node.name
                for node in ast.walk(ast.parse(text))
                if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            ),
        ]
        if EMPTY_NAMES.search(name)
    ]
    assert found == []


# ── the checks themselves, on small bad samples ──


def test_a_long_file_is_found_unless_it_says_why():
    long = "x = 1\n" * 401
    assert [too_long(text) for text in (long, f"# {REASON}it is a table.\n" + long, "x = 1\n" * 400)] == [
        True,
        False,
        False,
    ]


def test_a_long_function_is_found():
    body = "    pass\n"
    assert long_functions("def f():\n" + body * 70) == ["f (71 lines)"]
    assert long_functions("def f():\n" + body * 69) == []


@pytest.mark.parametrize("text", ["# TODO later", "x = 1  # FIXME", "XXX here"])
def test_a_leftover_is_found(text):
    assert LEFTOVERS.search(text)


CATCHES = "try:\n    run()\n{line}\n    pass\n"


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("except Exception:", "core/citycard/kernel/guard.py"),
        ("except Exception:  # noqa: BLE001", "core/citycard/kernel/guard.py"),
        ("except (ValueError, Exception):  # a", "core/citycard/kernel/guard.py"),
        ("except BaseException:", "core/citycard/kernel/guard.py"),
        ("except:", "core/citycard/kernel/guard.py"),
        ("except Exception:  # the plugin may raise anything", "core/citycard/keys/vault.py"),
    ],
)
def test_a_broad_except_is_found(line, where):
    assert len(broad_excepts(CATCHES.format(line=line), where)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "except Exception:  # the plugin may raise anything",
        "except Exception:  # noqa: BLE001 - the plugin may raise anything",
        "# The plugin may raise anything.\nexcept Exception:  # noqa: BLE001",
        "except ValueError:",
        "except BaseException:\n    raise\nexcept KeyError:",
    ],
)
def test_an_except_with_a_reason_is_fine(line):
    assert broad_excepts(CATCHES.format(line=line), "core/citycard/kernel/guard.py") == []


@pytest.mark.parametrize(
    "text",
    [
        "@pytest.mark.skip\ndef test(): pass",
        "@pytest.mark.skipif(True)\ndef test(): pass",
        "@pytest.mark.xfail(reason='')\ndef test(): pass",
        "pytest.skip()",
        "pytest.importorskip('duckdb')",
    ],
)
def test_a_skip_without_a_reason_is_found(text):
    assert skips_without_reason(text) == [1]


@pytest.mark.parametrize(
    "text",
    [
        "pytest.skip('no browser here')",
        "pytest.mark.skipif(True, reason='no browser here')",
        "pytest.skip(why)",
    ],
)
def test_a_skip_with_a_reason_is_fine(text):
    assert skips_without_reason(text) == []


def test_a_path_of_a_machine_is_found():
    bad = ["open('/work/city')", "see /home/anna/x", "cp a /root/b", "'/Users/anna'"]
    good = [
        "/api/work/orders",
        "{base}/home/",
        "https://example.org/home/page",
        "/usr/lib/postgresql",
        "../work/x",
    ]
    assert [bool(MACHINE_PATHS.search(line)) for line in bad] == [True] * 4
    assert [bool(MACHINE_PATHS.search(line)) for line in good] == [False] * 5


def test_an_empty_name_is_found():
    bad = ["CardManager", "ReaderHelper", "process_data", "utils", "Util"]
    assert [bool(EMPTY_NAMES.search(name)) for name in [*bad, "Vault"]] == [
        True,
        True,
        True,
        True,
        True,
        False,
    ]
