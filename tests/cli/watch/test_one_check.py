"""One check of a session: of the sources as they are, whatever the one before has left."""

from __future__ import annotations

import contextlib
import io
import sys
import threading
import warnings

import numpy as np
import pytest
from watch_sessions import NET, save, session

from fastgrad.cli.watch.one_check import OUT_OF_DATE


def test_what_the_file_changes_is_undone(folder):
    """A file that goes to another folder, and puts one on the path, finds all as it was the next time."""
    (folder / "elsewhere").mkdir()
    moving = NET + "\n    import os, sys\n    os.chdir('elsewhere'); sys.path.insert(0, 'elsewhere')\n"
    save(folder / "w_net.py", moving)
    path = [*sys.path]
    texts = session("w_net.py:problem", *[lambda: save(folder / "w_net.py", moving + "    #")] * 2)
    assert ["AGREE" in text for text in texts] == [True] * 3, texts
    assert sys.path.count("elsewhere") == 1
    assert len(sys.path) <= len(path) + 2


def test_settings_of_the_file_end_with_it(folder):
    """What a file sets of warnings and of NumPy's errors does not hold when the next check begins."""
    strict = "\n    import warnings; warnings.simplefilter('error'); np.seterr(all='raise')\n"
    said = "\n    print(__import__('warnings').filters[0][0], np.geterr()['under'])\n"
    save(folder / "w_net.py", NET + said)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session(
            "w_net.py:problem",
            lambda: save(folder / "w_net.py", NET + strict),
            lambda: save(folder / "w_net.py", NET + said),
        )
    first, last = printed.getvalue().splitlines()
    assert first == last == f"ignore {np.geterr()['under']}"


def test_data_of_the_last_check_are_gone(folder, monkeypatch):
    """When the file is read again, what it held the last time is no longer there: no data are there twice."""
    seen = []
    monkeypatch.setattr(sys, "w_seen", seen, raising=False)
    watched = NET + (
        "\n    import sys, weakref\n    print(sum(ref() is not None for ref in sys.w_seen))"
        "\n    data = {0}\n    problem.cost.data = data\n    sys.w_seen.append(weakref.ref(data))\n"
    )
    save(folder / "w_net.py", watched)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        session("w_net.py:problem", lambda: save(folder / "w_net.py", watched + "    #"))
    assert printed.getvalue().split() == ["0", "0"]


def test_a_save_during_a_check(folder):
    """A check whose file is saved meanwhile is left, and made again."""
    endless = NET.replace(
        "x = np",
        "import pathlib; pathlib.Path('begun').touch()\n"
        "    while not pathlib.Path('enough').exists(): pass\n    x = np",
    )

    def save_meanwhile():
        while not (folder / "begun").exists():
            over.wait(0.01)
        save(folder / "w_net.py", NET)
        over.wait(30.0)
        (folder / "enough").touch()  # where it is not left, the test fails, and ends

    over = threading.Event()
    thread = threading.Thread(target=save_meanwhile)

    def hang():
        save(folder / "w_net.py", endless)
        thread.start()

    _, left, again = session("w_net.py:problem", hang, lambda: None)
    over.set()
    thread.join()
    assert OUT_OF_DATE in left
    assert "saved: w_net.py\nAGREE" in again or "again\nAGREE" in again


def test_ctrl_c_in_a_check(folder):
    """Ctrl-C during a check ends the session, also where the user's file turns it into another error."""
    save(folder / "w_net.py", NET + "\n    import signal\n    signal.raise_signal(signal.SIGINT)\n")
    with pytest.raises(KeyboardInterrupt):
        session("w_net.py:problem")
    swallowed = (
        "\n    import signal\n    try: signal.raise_signal(signal.SIGINT)\n    except BaseException: pass\n"
    )
    save(folder / "w_net.py", NET + swallowed)
    with pytest.raises(KeyboardInterrupt):
        session("w_net.py:problem")
