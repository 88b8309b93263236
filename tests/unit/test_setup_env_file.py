"""`.env`: the set-up adds the secrets that are missing and changes nothing a user wrote."""

import io
import stat
import sys
from pathlib import Path

import pytest

from modules.setup import SetupProblem
from modules.setup.env_file import complete_env_file
from modules.setup.progress import Progress

pytestmark = pytest.mark.unit


def lines(path: Path) -> dict[str, str]:
    pairs = [line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines() if "=" in line]
    return {key: value for key, value in pairs}


def test_a_first_run_makes_secrets_of_its_own(tmp_path: Path) -> None:
    """My installation has its own key and secret, long enough for livekit-server."""
    first, second = tmp_path / "one.env", tmp_path / "two.env"
    complete_env_file(Progress(io.StringIO()), first)
    complete_env_file(Progress(io.StringIO()), second)
    made = lines(first)
    assert set(made) == {"LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "API_KEY"}
    assert len(made["LIVEKIT_API_SECRET"]) >= 32
    assert made["API_KEY"].startswith("vf_")
    assert not set(made.values()) & set(lines(second).values())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_i_can_read_my_secrets(tmp_path: Path) -> None:
    """Other users of this machine cannot read .env."""
    path = tmp_path / ".env"
    complete_env_file(Progress(io.StringIO()), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_api_key_is_shown_when_it_is_made_and_never_again(tmp_path: Path) -> None:
    """I see my key once; a repeat run says nothing and writes nothing."""
    path, first, again = tmp_path / ".env", io.StringIO(), io.StringIO()
    key = complete_env_file(Progress(first), path)["API_KEY"]
    before = path.stat()
    assert complete_env_file(Progress(again), path) == {}
    assert first.getvalue().count(key) == 1
    assert again.getvalue() == ""
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_what_i_wrote_stays_as_it_is(tmp_path: Path) -> None:
    """My comments, my order, my values and my missing last newline survive."""
    path = tmp_path / ".env"
    mine = "# my notes\nexport LIVEKIT_API_KEY=mine\nLIVEKIT_API_SECRET='my own secret'\nNUM_AGENTS=3"
    path.write_text(mine, encoding="utf-8")
    assert set(complete_env_file(Progress(io.StringIO()), path)) == {"API_KEY"}
    assert path.read_text(encoding="utf-8").startswith(f"{mine}\n")


@pytest.mark.parametrize("empty", ["API_KEY=", 'API_KEY=""', "API_KEY=   # made by the set-up", "# API_KEY=vf_old"])
def test_a_key_without_a_value_counts_as_missing(tmp_path: Path, empty: str) -> None:
    """A copy of .env.example gets its key, and the line I copied is still there."""
    path = tmp_path / ".env"
    path.write_text(f"{empty}\nLIVEKIT_API_KEY=mine\nLIVEKIT_API_SECRET=mine-too\n", encoding="utf-8")
    assert set(complete_env_file(Progress(io.StringIO()), path)) == {"API_KEY"}
    assert empty in path.read_text(encoding="utf-8").splitlines()


def test_half_a_livekit_login_is_not_completed_by_guessing(tmp_path: Path) -> None:
    """A key of my server without its secret is my mistake to correct, and .env is left alone."""
    path = tmp_path / ".env"
    path.write_text("LIVEKIT_API_KEY=of-my-server\n", encoding="utf-8")
    with pytest.raises(SetupProblem) as problem:
        complete_env_file(Progress(io.StringIO()), path)
    assert problem.value.what == "LIVEKIT_API_SECRET"
    assert path.read_text(encoding="utf-8") == "LIVEKIT_API_KEY=of-my-server\n"


def test_a_linked_env_file_stays_a_link(tmp_path: Path) -> None:
    """My .env may live elsewhere; the set-up writes through the link."""
    real, link = tmp_path / "secrets", tmp_path / ".env"
    real.write_text("", encoding="utf-8")
    link.symlink_to(real)
    complete_env_file(Progress(io.StringIO()), link)
    assert link.is_symlink()
    assert "API_KEY" in lines(real)
