"""A text is printed and flushed, or NotPrintedError says why not."""

from __future__ import annotations

import io

import pytest

from fastgrad.cli.printing import NotPrintedError, check_folder, complain, print_to
from fastgrad.errors import InputError


class Full(io.StringIO):
    """A stream without room."""

    def flush(self):
        """What a full disk says."""
        raise OSError(28, "No space left on device")


def closed():
    """A stream that was closed."""
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (Full(), "not all could be printed: .*No space left on device"),
        (closed(), "not all could be printed: I/O operation on closed file"),
        (None, "nothing could be printed: the stream is closed"),
        (object(), "not all could be printed: 'object' object has no attribute 'write'"),
    ],
)
def test_what_refuses(stream, why):
    """A stream that refuses is named by what it says, and a complaint on it is dropped."""
    with pytest.raises(NotPrintedError, match=why):
        print_to("text", stream)
    complain("text", stream)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_cannot_be_encoded(encoding):
    """Characters that the stream does not have are escaped, lone surrogates on all of them."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    print_to("\u03b8 \ud800", stream)
    theta = "\u03b8" if encoding == "utf-8" else r"\u03b8"
    assert stream.buffer.getvalue().decode(encoding) == f"{theta} \\ud800\n"


def test_check_folder(tmp_path):
    """A file in a folder can be written, whether it is there or not; elsewhere it cannot."""
    check_folder(str(tmp_path / "new.html"))
    check_folder("new.html")
    with pytest.raises(InputError, match="there is no folder"):
        check_folder(str(tmp_path / "missing" / "new.html"))
    with pytest.raises(InputError, match="it is a folder; give the name of a file in it"):
        check_folder(str(tmp_path))
