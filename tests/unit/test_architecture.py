"""Who may import whom, how long a file may be, what may not be named, and where keys and states are spelled."""

import re
import sys
from pathlib import Path

import pytest

from modules.calls import State
from tests.unit.source_tree import (
    PROJECT,
    Import,
    allowed_exceptions,
    everything,
    functions,
    imports,
    package_of,
    sources,
)

pytestmark = pytest.mark.unit

FILE_LINES, FUNCTION_LINES = 400, 60

# What each package may import of ours, besides itself. Entry points may import anything: files in the project's folder, and
# modules/sip_management/__main__.py, which is the command line under another name.
RULES = {"calls"}
PARTS = RULES | {"metrics_logger", "strict_yaml"}
MAY_IMPORT: dict[str, set[str]] = {
    "setup": set(),
    "calls": set(),
    "strict_yaml": set(),
    "metrics_logger": RULES,
    "call_queue_manager": PARTS,
    "call_history": PARTS | {"call_queue_manager"},
    "sip_management": PARTS | {"call_queue_manager"},
    "conversation": PARTS | {"call_queue_manager", "sip_management"},
    "outbound_orchestrator": PARTS | {"call_queue_manager", "sip_management"},
    "simulation": PARTS | {"sip_management", "conversation"},
    "api_server": PARTS | {"call_queue_manager", "call_history", "sip_management", "conversation"},
    "doctor": PARTS | {"call_queue_manager", "sip_management"},
    "after_call": PARTS | {"call_queue_manager", "conversation"},
    "fleet": PARTS | {"setup", "call_queue_manager"},
}
TOP = {"command_line", "__main__", "__init__"}
COMMAND_LINE_TOO = PROJECT / "modules/sip_management/__main__.py"

# A library, and the only packages that know it. Everything else asks them.
ONE_DOOR: dict[str, set[str]] = {
    "redis": {"call_queue_manager"},
    "sqlalchemy": {"call_history"},
    "alembic": {"call_history"},
    "fastapi": {"api_server"},
    "starlette": {"api_server"},
    "uvicorn": {"api_server"},
    "livekit.plugins": {"conversation"},
    "structlog": {"metrics_logger"},
    "typer": {"command_line", "__main__"},
}
CALLS_NEVER = {"asyncio", "redis", "os", "socket", "time", "random", "pathlib", "logging", "subprocess", "threading", "config"}
ENVIRONMENT = re.compile(r"os\.(environ|getenv)")


def ours(found: Import) -> str | None:
    """Return the package of ours that is imported, or None."""
    parts = found.name.split(".")
    return parts[1] if parts[0] == "modules" and len(parts) > 1 else None


def test_every_package_is_in_the_rules() -> None:
    """A new package says where it stands before it is used."""
    known = set(MAY_IMPORT) | TOP
    assert {package_of(path) for path in (PROJECT / "modules").rglob("*.py")} <= known


def test_imports_point_one_way() -> None:
    """From a package I can read on towards `calls` and never come back."""
    wrong = [
        str(found)
        for path in (PROJECT / "modules").rglob("*.py")
        if (package := package_of(path)) not in TOP and path != COMMAND_LINE_TOO
        for found in imports(path)
        if (other := ours(found)) and other != package and other not in MAY_IMPORT[package]
    ]
    assert wrong == []


def test_the_rules_themselves_have_no_circle() -> None:
    """The table above can be read from bottom to top."""
    above: dict[str, set[str]] = dict(MAY_IMPORT)
    while above:
        free = {package for package, below in above.items() if not below & set(above)}
        assert free, f"a circle among {sorted(above)}"
        above = {package: below for package, below in above.items() if package not in free}


@pytest.mark.parametrize(("library", "doors"), ONE_DOOR.items(), ids=ONE_DOOR)
def test_a_library_has_one_door(library: str, doors: set[str]) -> None:
    """Whoever replaces a library has one package to read."""
    users = {
        package_of(path)
        for path in sources()
        for found in imports(path)
        if found.name == library or found.name.startswith(f"{library}.")
    }
    assert users <= doors


def test_the_rules_of_a_call_know_nothing_of_the_world() -> None:
    """modules/calls has no I/O, no clock, no chance, no settings: the same question always has the same answer."""
    wrong = [
        str(found)
        for path in (PROJECT / "modules/calls").rglob("*.py")
        for found in imports(path)
        if found.name.split(".")[0] in CALLS_NEVER
    ]
    assert wrong == []
    clocks = re.compile(r"\b(now|utcnow|today)\(\s*(UTC|timezone\.utc)?\s*\)")
    assert [path.name for path in (PROJECT / "modules/calls").rglob("*.py") if clocks.search(path.read_text("utf-8"))] == []


def test_the_set_up_needs_nothing_but_python() -> None:
    """On a bare machine ./start_scripts/demo.sh starts with the standard library alone."""
    for path in [*(PROJECT / "modules/setup").rglob("*.py"), PROJECT / "start_optimized.py"]:
        for found in imports(path):
            inside = found.name == "modules" or found.name.startswith("modules.setup")
            assert inside or found.name.split(".")[0] in sys.stdlib_module_names, str(found)
    assert list(imports(PROJECT / "modules/__init__.py")) == []


def test_only_the_configuration_reads_settings_from_the_environment() -> None:
    """What I set is read in config.py; the few others that look at the environment look for something else, and say what."""
    allowed = {
        "config.py", "voice_agent.py",             # livekit-agents' own switches, set before it is imported
        "setup", "fleet", "command_line",          # finding programs, starting processes, showing where a value came from
        "conversation", "simulation",              # refusing LiveKit's cloud switches; who may listen
    }  # fmt: skip
    readers = {package_of(path) for path in sources() if ENVIRONMENT.search(path.read_text("utf-8"))}
    assert readers <= allowed


def test_imports_are_absolute() -> None:
    """An import says where a thing lives."""
    assert [str(found) for path in sources() for found in imports(path) if found.name.startswith(".")] == []


def test_files_and_functions_stay_short() -> None:
    """A file fits in one head; whoever needs more names the file, the limit and the reason in size_exceptions.txt."""
    allowed = allowed_exceptions()
    lengths = {str(path.relative_to(PROJECT)): len(path.read_text("utf-8").splitlines()) for path in everything()}
    too_long = {name: lines for name, lines in lengths.items() if lines > allowed.get(name, FILE_LINES)}
    for path in everything():
        for function in functions(path):
            name = f"{path.relative_to(PROJECT)}::{function.name}"
            if function.lines > allowed.get(name, FUNCTION_LINES):
                too_long[name] = function.lines
    assert too_long == {}


def test_no_exception_to_the_sizes_outlives_its_need() -> None:
    """A line in size_exceptions.txt goes when its file has become short."""
    unneeded = []
    for name in allowed_exceptions():
        file, _, function = name.partition("::")
        path = PROJECT / file
        if not path.exists():
            unneeded.append(name)
        elif function:
            if all(found.lines <= FUNCTION_LINES for found in functions(path) if found.name == function):
                unneeded.append(name)
        elif len(path.read_text("utf-8").splitlines()) <= FILE_LINES:
            unneeded.append(name)
    assert unneeded == []


def test_nothing_is_called_utils() -> None:
    """A name says what a thing is; a drawer for everything says nothing."""
    forbidden = re.compile(r"(^|_)(utils?|helpers?|common|misc)(_|$)")
    assert [str(path) for path in everything() if any(forbidden.search(part) for part in (path.stem, path.parent.name))] == []


def test_no_two_test_files_share_a_name() -> None:
    """pytest imports test files by their bare name; two of one name stop the whole run."""
    names = [path.name for path in (PROJECT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


def test_every_file_says_what_lives_in_it() -> None:
    """The first lines of each file tell me whether I am in the right place."""
    silent = [
        str(path.relative_to(PROJECT))
        for path in everything()
        if path.read_text("utf-8").strip() and not path.read_text("utf-8").lstrip().startswith('"""')
    ]
    assert silent == []


def test_redis_keys_are_built_in_one_file() -> None:
    """keys.py is the whole list of what is in Redis."""
    literal = re.compile(r"""["']vf:""")
    wrong = [str(path) for path in sources() if path.name != "keys.py" and literal.search(path.read_text("utf-8"))]
    assert wrong == []
    scripts = list((PROJECT / "modules/call_queue_manager/lua").glob("*.lua"))
    assert scripts
    assert [path.name for path in scripts if "vf:" in path.read_text("utf-8")] == []


def test_every_redis_key_says_its_type_its_life_and_its_writer() -> None:
    """I find a key in Redis and keys.py tells me what it is."""
    text = (PROJECT / "modules/call_queue_manager/keys.py").read_text("utf-8")
    described = re.findall(r'"""((?:ZSET|HASH|STREAM|STRING|LIST|SET)\b[^"]*)"""', text)
    built = len(re.findall(r'f"\{PREFIX\}', text))
    assert len(described) == built
    assert all(re.search(r"\.lua|\.py|\(\)", sentence) for sentence in described)


def test_no_script_knows_a_state_by_name() -> None:
    """Redis compares versions and tokens; what a state is and what follows it is written once, in lifecycle.py."""
    for path in (PROJECT / "modules/call_queue_manager/lua").glob("*.lua"):
        code = "\n".join(line.partition("--")[0] for line in path.read_text("utf-8").splitlines())
        named = [state.value for state in State if re.search(rf"['\"]{state.value}['\"]", code)]
        assert named == [], path.name


def test_every_script_says_what_it_takes_and_returns() -> None:
    """Each Lua file opens with its keys, its arguments and its answer."""
    for path in (PROJECT / "modules/call_queue_manager/lua").glob("*.lua"):
        head = "\n".join(line for line in path.read_text("utf-8").splitlines() if line.startswith("--"))
        assert "KEYS" in head and "ARGV" in head and "Returns" in head, path.name


def test_states_are_decided_in_one_place() -> None:
    """Nobody writes `state = ended` but the state machine."""
    writes = re.compile(r"""replace\([^)]*\bstate=|["']state["']\s*:\s*(State\.|["'])""")
    wrong = [
        str(path.relative_to(PROJECT))
        for path in (PROJECT / "modules").rglob("*.py")
        if path.name != "lifecycle.py" and writes.search(path.read_text("utf-8"))
    ]
    assert wrong == []


def test_the_packages_are_listed_where_a_reader_begins() -> None:
    """modules/__init__.py names every package there is, and none that is not."""
    text = (PROJECT / "modules/__init__.py").read_text("utf-8")
    packages = {path.parent.name for path in (PROJECT / "modules").glob("*/__init__.py")}
    assert {line.split()[0] for line in text.splitlines() if re.match(r"^[a-z_]+  +\S", line)} == packages


def test_nothing_names_a_machine() -> None:
    """A clone reads the same everywhere: no home folder, no absolute path of somebody's disk."""
    home = re.compile(r"/(?:home|Users)/[a-z]+/|/root/")
    texts: list[Path] = [*everything(), *(PROJECT / "docs").glob("*.md"), *PROJECT.glob("*.md"), *PROJECT.glob("*.yaml")]
    assert [str(path) for path in texts if path != Path(__file__) and home.search(path.read_text("utf-8"))] == []
