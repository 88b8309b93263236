"""Downloads: what arrives is what was promised, or nothing at all."""

import hashlib
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from modules.setup.download import DownloadFailed, fetch_file

pytestmark = pytest.mark.unit

BODY = b"a program" * 50_000
SHA256 = hashlib.sha256(BODY).hexdigest()


def test_a_file_with_the_promised_hash_arrives(httpserver: HTTPServer, tmp_path: Path) -> None:
    """A good download is there under its name."""
    httpserver.expect_request("/program").respond_with_data(BODY)
    fetch_file(httpserver.url_for("/program"), SHA256.upper(), tmp_path / "cache" / "program")
    assert (tmp_path / "cache" / "program").read_bytes() == BODY


def test_a_file_with_another_hash_is_refused(httpserver: HTTPServer, tmp_path: Path) -> None:
    """A tampered download is not kept, not even in part."""
    httpserver.expect_request("/program").respond_with_data(BODY + b"!")
    with pytest.raises(DownloadFailed, match="SHA-256"):
        fetch_file(httpserver.url_for("/program"), SHA256, tmp_path / "program")
    assert list(tmp_path.iterdir()) == []


def test_half_a_file_is_refused_and_the_old_one_stays(httpserver: HTTPServer, tmp_path: Path) -> None:
    """A connection that breaks halfway leaves what I had."""

    def half(_: Request) -> Response:
        return Response(BODY[: len(BODY) // 2], headers={"Content-Length": str(len(BODY))})

    httpserver.expect_request("/program").respond_with_handler(half)
    (tmp_path / "program").write_bytes(b"the old one")
    with pytest.raises(DownloadFailed):
        fetch_file(httpserver.url_for("/program"), SHA256, tmp_path / "program")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"program": b"the old one"}


@pytest.mark.parametrize("status", [404, 500])
def test_an_error_page_is_not_a_file(httpserver: HTTPServer, tmp_path: Path, status: int) -> None:
    """A missing release is an error with the address in it."""
    httpserver.expect_request("/program").respond_with_data("no", status=status)
    with pytest.raises(DownloadFailed, match=f"/program: .*{status}"):
        fetch_file(httpserver.url_for("/program"), SHA256, tmp_path / "program")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_an_error_at_once(tmp_path: Path) -> None:
    """Without a network the set-up goes on to the next way."""
    with pytest.raises(DownloadFailed):
        fetch_file("http://127.0.0.1:1/program", SHA256, tmp_path / "program")
