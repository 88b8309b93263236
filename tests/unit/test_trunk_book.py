"""trunks.yaml in use: an edit counts at once, a broken one does not, and no password is where it should not be."""

import errno
import os
import stat
from pathlib import Path

import pytest

from config import Settings
from modules.calls.errors import InvalidField
from modules.sip_management.trunk_book import TrunkBook
from modules.sip_management.trunks import TrunksUnusable

pytestmark = pytest.mark.unit

SECRET = "hunter2-but-long"
ONE = "trunks: {munich: {hostname: sip.telnyx.eu, username: me, password_file: munich.secret}}"
TWO = ONE.replace("}}", "}, office: {hostname: 192.168.1.4}}")
BROKEN = "trunks:\n  munich: {hostnam: sip.telnyx.eu}\n"


@pytest.fixture
def mine(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "munich.secret").write_text(SECRET)
    facts = {"sip_trunks_file": tmp_path / "trunks.yaml", "data_dir": tmp_path / "data", "sip_api_url": ""}
    return settings.model_copy(update=facts)


def password(book: TrunkBook) -> str:
    inline = book.trunks()["munich"].inline
    return inline.auth_password if inline else ""


def test_an_edit_counts_without_a_restart(mine: Settings) -> None:
    """I add an office and later take everything out: the next look knows it; nothing is read while nothing changes."""
    book, file = TrunkBook(mine), mine.sip_trunks_file
    assert book.trunks() == {}
    file.write_text(ONE)
    assert list(book.trunks()) == ["munich"]
    assert book.trunks() is book.trunks()
    file.write_text(TWO)
    assert list(book.trunks()) == ["munich", "office"]
    file.unlink()
    assert book.trunks() == {}


def test_a_new_password_in_its_own_file_counts_too(mine: Settings) -> None:
    """The secret is rotated beside the file that names it."""
    mine.sip_trunks_file.write_text(ONE)
    book = TrunkBook(mine)
    assert password(book) == SECRET
    (mine.sip_trunks_file.parent / "munich.secret").write_text("another-one")
    assert password(book) == "another-one"


def test_a_broken_edit_keeps_the_last_good_version(mine: Settings) -> None:
    """I mistype a field: calls go on over the trunks there were, I am told the line, and the corrected file counts at once."""
    mine.sip_trunks_file.write_text(TWO)
    book = TrunkBook(mine)
    assert len(book.trunks()) == 2 and book.problem is None
    mine.sip_trunks_file.write_text(BROKEN)
    assert list(book.trunks()) == ["munich", "office"]
    assert book.problem and book.problem.line == 2 and "did you mean `hostname`" in book.problem.message
    mine.sip_trunks_file.write_text(ONE)
    assert list(book.trunks()) == ["munich"] and book.problem is None


def test_a_secret_that_is_missing_is_a_broken_edit(mine: Settings) -> None:
    """The file names a secret that is not mounted yet; once it is, the edit counts."""
    mine.sip_trunks_file.write_text(ONE)
    book = TrunkBook(mine)
    book.trunks()
    mine.sip_trunks_file.write_text(TWO.replace("munich.secret", "new.secret"))
    assert list(book.trunks()) == ["munich"] and book.problem
    (mine.sip_trunks_file.parent / "new.secret").write_text("new-one")
    assert list(book.trunks()) == ["munich", "office"] and password(book) == "new-one"


def test_a_process_that_starts_later_has_the_last_good_version_too(mine: Settings) -> None:
    """A worker's next call, and an API that is restarted, go on as well; its copy is no place to find passwords."""
    mine.sip_trunks_file.write_text(ONE)
    TrunkBook(mine).trunks()
    mine.sip_trunks_file.write_text(BROKEN)
    later = TrunkBook(mine)
    assert later.of_call("munich").carrier == "telnyx" and password(later) == SECRET and later.problem
    (copy,) = (mine.data_dir / "trunks").iterdir()
    assert SECRET not in copy.read_text()
    assert os.name == "nt" or stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_copy_that_cannot_be_made_leaves_nothing_behind(mine: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk takes no copy: calls go on, and no passwords pile up on it under names that nobody knows."""

    def full(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(Path, "replace", full)
    mine.sip_trunks_file.write_text(ONE)
    assert list(TrunkBook(mine).trunks()) == ["munich"]
    assert list((mine.data_dir / "trunks").iterdir()) == []


def test_a_file_that_never_was_good_is_refused(mine: Settings) -> None:
    """There is nothing to fall back on: the mistake is told where it is."""
    mine.sip_trunks_file.write_text(BROKEN)
    with pytest.raises(TrunksUnusable, match=r"trunks\.yaml:2"):
        TrunkBook(mine).trunks()


def test_trunks_that_were_taken_out_do_not_come_back(mine: Settings) -> None:
    """I delete the file, and a later one is broken: the old trunks stay gone."""
    mine.sip_trunks_file.write_text(ONE)
    TrunkBook(mine).trunks()
    mine.sip_trunks_file.unlink()
    with pytest.raises(InvalidField, match="No trunk is configured"):
        TrunkBook(mine).of_call("munich")
    mine.sip_trunks_file.write_text(BROKEN)
    with pytest.raises(TrunksUnusable):
        TrunkBook(mine).trunks()
