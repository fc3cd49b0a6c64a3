"""A file is written whole or left as it was."""

from __future__ import annotations

import os
import stat

import pytest
from report_cases import agreeing

from fastgrad.report.whole_file import write_whole


class TestWhole:
    @pytest.mark.parametrize("name", ["report.json", "b" * 250, "\u03b8" * 120])
    def test_new_and_again(self, tmp_path, name):
        """A file is made, and replaced, and nothing else is left beside it."""
        for text in ("first\n", "second \u03b8\n"):
            write_whole(tmp_path / name, text)
            assert (tmp_path / name).read_text(encoding="utf-8") == text
        assert os.listdir(tmp_path) == [name]

    @pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
    def test_what_was_there_stays(self, tmp_path, monkeypatch, error):
        """When it cannot be written to the end, the old file stays, and no part of the new one."""

        def refused(number):
            raise error

        path = tmp_path / "report.json"
        path.write_text("old")
        monkeypatch.setattr(os, "fsync", refused)
        with pytest.raises(type(error)):
            agreeing().to_json(path)
        assert (path.read_text(), os.listdir(tmp_path)) == ("old", ["report.json"])

    def test_modes(self, tmp_path):
        """A new file has the usual mode, and one that is replaced keeps its own."""
        usual, own = tmp_path / "usual", tmp_path / "own"
        usual.write_text("")
        own.write_text("")
        own.chmod(0o600)
        write_whole(own, "text")
        write_whole(tmp_path / "new", "text")
        assert stat.S_IMODE(own.stat().st_mode) == 0o600
        assert (tmp_path / "new").stat().st_mode == usual.stat().st_mode

    def test_links(self, tmp_path):
        """A link stays one, and what it points to is replaced."""
        (tmp_path / "file").write_text("old")
        (tmp_path / "link").symlink_to(tmp_path / "file")
        write_whole(tmp_path / "link", "new")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "file").read_text() == "new"

    def test_no_file(self, tmp_path):
        """What is no file is written to, and refuses in its own way; a folder that is not there is said."""
        write_whole(os.devnull, "text")
        if os.path.exists("/dev/full"):
            with pytest.raises(OSError, match="No space left"):
                write_whole("/dev/full", "text")
        with pytest.raises(FileNotFoundError):
            write_whole(tmp_path / "nowhere" / "report.json", "text")
