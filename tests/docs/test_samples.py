"""What the documentation shows is what happens: every Python and console sample is run.

A page is one story. Its ``python`` blocks run top to bottom in one namespace, and its ``console`` blocks
run in the folder of a small city of their own. A console line that begins with ``$`` is a call of
``citycard`` and must end well, unless it says ``# exit 3``; lines without ``$`` are what it may print, and
are not compared. A block under ``<!-- not run: reason -->`` is left out.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import attrs
import pytest

ROOT = Path(__file__).parents[2]
CITY = ROOT / "examples" / "morning" / "city.toml"
SECONDS_MOST = 120

FENCE = re.compile(r"^```(?P<kind>\S*)[^\n]*\n(?P<text>.*?)^```\s*$", re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"<!-- not run: \S[^>]*-->\s*$")
EXIT = re.compile(r"\s+# exit (\d+)$")


@attrs.frozen(kw_only=True)
class Block:
    """A fenced block, and the line of the page on which its text begins."""

    kind: str
    text: str
    line: int


@attrs.frozen(kw_only=True)
class Call:
    """A line of a console block: what is called, with which variables, and how it must end."""

    words: list[str]
    variables: dict[str, str]
    exit_code: int


def blocks(page: str) -> Iterator[Block]:
    for found in FENCE.finditer(page):
        if not NOT_RUN.search(page[: found.start()]):
            line = page.count("\n", 0, found.start("text")) + 1
            yield Block(kind=found["kind"], text=found["text"], line=line)


def run_python(page: str, name: str) -> int:
    """Run the Python blocks of a page in one namespace; return how many there were."""
    # A real module, because records resolve the annotations of their class there.
    module = sys.modules["__page__"] = ModuleType("__page__")
    chosen = [block for block in blocks(page) if block.kind == "python"]
    try:
        for block in chosen:
            # Empty lines before it make a traceback name the line of the page.
            exec(compile("\n" * (block.line - 1) + block.text, name, "exec"), module.__dict__)
    finally:
        del sys.modules["__page__"]
    return len(chosen)


def calls(page: str) -> Iterator[Call]:
    """Yield the calls of the console blocks; a trailing backslash goes on in the next line."""
    for block in blocks(page):
        if block.kind != "console":
            continue
        for line in block.text.replace("\\\n", " ").splitlines():
            if not line.startswith("$ "):
                continue
            expected = EXIT.search(line)
            words = shlex.split(EXIT.sub("", line[2:]))
            variables = {}
            while words and re.fullmatch(r"[A-Z][A-Z0-9_]*=.*", words[0]):
                key, _, value = words.pop(0).partition("=")
                variables[key] = value
            yield Call(words=words, variables=variables, exit_code=int(expected[1]) if expected else 0)


def run_console(page: str, folder: Path) -> int:
    """Run the console blocks of a page in a folder; return how many calls there were."""
    made = list(calls(page))
    clean = {key: value for key, value in os.environ.items() if not key.startswith("CITYCARD_")}
    for call in made:
        assert call.words[0] == "citycard", f"a console sample calls {call.words[0]}, not citycard"
        done = subprocess.run(
            [str(Path(sys.executable).with_name("citycard")), *call.words[1:]],
            cwd=folder,
            env=clean | call.variables,
            capture_output=True,
            text=True,
            timeout=SECONDS_MOST,
            check=False,
        )
        assert (shlex.join(call.words), done.returncode) == (shlex.join(call.words), call.exit_code), (
            done.stderr
        )
    return len(made)


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


every_page = pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))


@pytest.fixture(scope="session")
def city(tmp_path_factory):
    """Return the folder of a small city, to copy from."""
    folder = tmp_path_factory.mktemp("city") / "small"
    run_console(f"```console\n$ citycard city create {folder} --config {CITY}\n```\n", folder.parent)
    return folder


@every_page
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_python(page.read_text(), str(page))


@every_page
def test_the_console_of_a_page_runs(page, tmp_path, request):
    text = page.read_text()
    if any(calls(text)):
        folder = shutil.copytree(request.getfixturevalue("city"), tmp_path / "small")
        run_console(text, folder)


# ── the runner itself, on small bad samples ──

PAGE = """
```python
x = 1
```

<!-- not run: it needs a reader -->
```python
x = 1 / 0
```

```console
$ citycard --version
citycard 0.1.0
$ CITYCARD_CITY=nowhere citycard key \\
    list  # exit 3
```

```python
assert x == 2
```
"""


def test_blocks_share_a_namespace_and_an_error_names_the_line_of_the_page():
    with pytest.raises(AssertionError) as caught:
        run_python(PAGE, "page.md")
    last = caught.traceback[-1]
    assert (Path(last.path).name, last.lineno + 1) == ("page.md", 19)


def test_a_block_is_left_out_only_with_a_reason():
    assert [block.line for block in blocks(PAGE)] == [3, 12, 19]
    assert [block.line for block in blocks(PAGE.replace(": it needs a reader", ": "))] == [3, 8, 12, 19]


def test_a_call_may_have_variables_and_an_exit_code():
    assert list(calls(PAGE)) == [
        Call(words=["citycard", "--version"], variables={}, exit_code=0),
        Call(words=["citycard", "key", "list"], variables={"CITYCARD_CITY": "nowhere"}, exit_code=3),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "$ citycard no-such-command",
        "$ citycard --version  # exit 3",
        "$ rm -rf city",
    ],
)
def test_a_wrong_call_fails(line, tmp_path):
    with pytest.raises(AssertionError):
        run_console(f"```console\n{line}\n```\n", tmp_path)


def test_a_right_call_passes(tmp_path):
    assert (
        run_console("```console\n$ citycard --version\n$ citycard nonsense  # exit 2\n```\n", tmp_path) == 2
    )
