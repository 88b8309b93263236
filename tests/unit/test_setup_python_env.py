"""`.venv`: made from the lock by the real pip, offline, from a wheel the test brings along."""

import base64
import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from modules.setup import SetupProblem
from modules.setup.command import run
from modules.setup.places import venv_python
from modules.setup.progress import Progress
from modules.setup.python_env import make_python_env

pytestmark = pytest.mark.unit


def wheel(folder: Path) -> str:
    """The smallest package there is, `vf_probe` 1.0; returns its hash."""
    files = {
        "vf_probe.py": "ANSWER = 42\n",
        "vf_probe-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: vf-probe\nVersion: 1.0\n",
        "vf_probe-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = []
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record.append(f"{name},sha256={digest},{len(text)}\n")
    files["vf_probe-1.0.dist-info/RECORD"] = "".join([*record, "vf_probe-1.0.dist-info/RECORD,,\n"])
    path = folder / "vf_probe-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with a space in its name, whose packages come from a folder and never from a network."""
    wheels, folder = tmp_path / "wheels", tmp_path / "my project"
    wheels.mkdir()
    folder.mkdir()
    sha256 = wheel(wheels)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", wheels.as_uri())
    (folder / "requirements.txt").write_text("", encoding="utf-8")
    (folder / "requirements-dev.txt").write_text(f"vf-probe==1.0 --hash=sha256:{sha256}\n", encoding="utf-8")
    return folder


def test_the_environment_holds_what_the_lock_names(project: Path) -> None:
    """After one run the packages are there; a repeat run, and a run that needs less, do nothing."""
    python = make_python_env(Progress(io.StringIO()), dev=True, project=project)
    assert python == venv_python(project)
    assert run([python, "-c", "import vf_probe; print(vf_probe.ANSWER)"]).strip() == "42"
    before = {path: path.stat().st_mtime_ns for path in (project / ".venv").iterdir()}
    assert make_python_env(Progress(io.StringIO()), dev=True, project=project) == python
    assert make_python_env(Progress(io.StringIO()), project=project) == python
    assert {path: path.stat().st_mtime_ns for path in (project / ".venv").iterdir()} == before


def test_a_swapped_package_is_refused_and_the_next_run_repairs(project: Path) -> None:
    """A package whose hash is not the locked one is never installed; with the right lock the same command goes on."""
    lock = project / "requirements-dev.txt"
    right = lock.read_text(encoding="utf-8")
    lock.write_text(f"vf-probe==1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    with pytest.raises(SetupProblem) as problem:
        make_python_env(Progress(io.StringIO()), dev=True, project=project)
    assert problem.value.what == "the Python packages"
    assert "HASH" in problem.value.why.upper()
    lock.write_text(right, encoding="utf-8")
    python = make_python_env(Progress(io.StringIO()), dev=True, project=project)
    assert run([python, "-c", "import vf_probe; print(vf_probe.ANSWER)"]).strip() == "42"


def test_a_broken_environment_is_made_anew(project: Path) -> None:
    """When the Python it was made from is gone, the environment is replaced, not mourned."""
    python = venv_python(project)
    python.parent.mkdir(parents=True)
    python.symlink_to("/nowhere/python3")
    make_python_env(Progress(io.StringIO()), project=project)
    assert run([python, "-c", "print(1)"]).strip() == "1"
