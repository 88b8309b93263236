"""The project's own sources as the architecture tests see them: files, imports, functions. Reads, runs nothing."""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
ENTRY_POINTS = ("config.py", "voice_agent.py", "sip_trunk_init.py", "trunk_monitor.py", "start_optimized.py")
EXCEPTIONS = Path(__file__).with_name("size_exceptions.txt")


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, by its full name, and where it is written."""

    path: Path
    line: int
    name: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(PROJECT)}:{self.line} imports {self.name}"


@dataclass(frozen=True, slots=True)
class Function:
    """One function and how many lines it has."""

    path: Path
    name: str
    lines: int


def sources() -> list[Path]:
    """Return the Python files that are the program."""
    return sorted([*(PROJECT / "modules").rglob("*.py"), *(PROJECT / name for name in ENTRY_POINTS)])


def everything() -> list[Path]:
    """Return all Python files: the program, its tests, its benchmarks and its page maker."""
    folders = ("tests", "docs", "benchmarks", "scripts")
    return sorted([*sources(), *(path for folder in folders for path in (PROJECT / folder).rglob("*.py"))])


def package_of(path: Path) -> str:
    """Return the package a file belongs to ("calls"), or the file's name for entry points."""
    parts = path.relative_to(PROJECT).parts
    return parts[1].removesuffix(".py") if parts[0] == "modules" and len(parts) > 1 else parts[-1]


def imports(path: Path) -> Iterator[Import]:
    """Yield what a file imports, wherever in the file; "from a import b" counts as a and as a.b."""
    tree = _tree(path)
    hidden = {id(inner) for node in ast.walk(tree) if _only_for_types(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (Import(path, node.lineno, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield Import(path, node.lineno, node.module)
            yield from (Import(path, node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.level:
            yield Import(path, node.lineno, "." * node.level)


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def functions(path: Path) -> Iterator[Function]:
    """Yield every function of a file with its length in lines, docstring included."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Function(path, node.name, (node.end_lineno or node.lineno) - node.lineno + 1)


def allowed_exceptions() -> dict[str, int]:
    """Return the named exceptions: "path" or "path::function" -> most lines."""
    lines = [line.partition("#")[0].split() for line in EXCEPTIONS.read_text(encoding="utf-8").splitlines()]
    return {name: int(most) for name, most in (line for line in lines if line)}
