"""The user's source files: what is read, what was saved since, what is forgotten."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import pytest

import fastgrad
from fastgrad.cli.watch.sources import NOTHING_KEPT, Sources


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of the user's, on the path, of which nothing stays imported."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture(autouse=True)
def _compiled_is_kept(monkeypatch):
    """Python keeps what it compiles, as it does unless it is told not to."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def write(path, text):
    """Write a file, with the time and the size of the one before: Python would take them for the same."""
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    os.utime(path, (1e9, 1e9))


def value(name):
    """X of a module that is imported now."""
    return importlib.import_module(name).X


@pytest.mark.parametrize(
    ("name", "file"),
    [("w_mod", "w_mod.py"), ("w_pack.inner", "w_pack/inner.py"), ("w_space.inner", "w_space/inner.py")],
)
def test_modules_are_read_again(folder, name, file):
    """A module, one of a package, and one of a package without a file are read anew after `forget`."""
    if "pack" in name:
        write(folder / "w_pack" / "__init__.py", "from w_pack.inner import X")
    write(folder / file, "X = 1")
    sources = Sources(folder)
    with sources.watched():
        assert value(name) == 1
        write(folder / file, "X = 2")
        assert value(name) == 1
        sources.forget()
        assert value(name) == 2
        assert value(name.partition(".")[0]) == 2 if "pack" in name else True


def test_libraries_stay(folder):
    """Modules of site-packages, of hidden folders, compiled ones and those from before are not touched."""
    write(folder / "w_early.py", "X = 1")
    early = importlib.import_module("w_early")
    for place in ("lib/site-packages", ".venv"):
        write(folder / place / f"w_{place[-3:]}.py", "X = 1")
        sys.path.insert(0, str(folder / place))
    sources = Sources(folder)
    with sources.watched():
        kept = [importlib.import_module(name) for name in ("w_ges", "w_env", "json", "fastgrad.checks")]
        sources.note_modules(True)
        assert sources.files == ()
        sources.forget()
        assert [sys.modules[module.__name__] for module in kept] == kept
        assert sys.modules["w_early"] is early


def test_fastgrad_and_python_inside_the_folder():
    """In a project that holds fastgrad and a Python, neither is the user's own."""
    sources = Sources(Path(fastgrad.__file__).parents[1])
    assert not sources.is_own(Path(fastgrad.__file__))
    assert sources.is_own(Path(fastgrad.__file__).parents[1] / "net.py")
    assert sources.is_own(Path(fastgrad.__file__).parents[1] / "pack" / "net.py")
    assert not Sources(Path(sys.prefix).parent).is_own(Path(sys.prefix) / "lib" / "x.py")


class TestSaved:
    def test_by_what_was_read(self, folder):
        """What is read before a save counts as saved; a file that nothing imports does not."""
        write(folder / "w_mod.py", "X = 1")
        write(folder / "other.py", "")
        sources = Sources(folder, folder / "target.py")
        with sources.watched():
            assert value("w_mod") == 1
            assert sources.files == (folder / "target.py", folder / "w_mod.py")
            assert sources.saved() == ()
            (folder / "other.py").write_text("X = 3")
            assert sources.saved() == ()
            (folder / "w_mod.py").write_text("X = 2")
            assert sources.saved() == (folder / "w_mod.py",)
            sources.forget()
            assert sources.saved() == ()

    def test_by_renaming(self, folder):
        """A file in the place of another, of the same time and size, was saved; so was a deleted one."""
        target = folder / "target.py"
        write(target, "X = 1")
        sources = Sources(folder, target)
        write(folder / "new.tmp", "X = 2")
        (folder / "new.tmp").replace(target)
        assert sources.saved() == (target,)
        sources.forget()
        target.unlink()
        assert sources.saved() == (target,)
        sources.forget()
        write(target, "X = 2")
        assert sources.saved() == (target,)

    def test_a_module_with_an_error(self, folder):
        """A file that does not compile was read, though it is no module."""
        write(folder / "w_mod.py", "x = (")
        sources = Sources(folder)
        with sources.watched():
            with pytest.raises(SyntaxError):
                importlib.import_module("w_mod")
            sources.note_modules(False)
            (folder / "w_mod.py").write_text("X = 1")
            assert sources.saved() == (folder / "w_mod.py",)

    @pytest.mark.parametrize("file", ["w_missing.py", "w_missing/__init__.py", "w_missing/inner.py"])
    def test_a_module_that_was_missing(self, folder, file):
        """Where the target could not be imported, a new file counts, for it may be what was missing."""
        write(folder / "other.py", "")
        sources = Sources(folder)
        sources.note_modules(False)
        (folder / "other.py").write_text("X = 1")
        assert sources.saved() == ()  # nothing has asked for it
        write(folder / file, "X = 1")
        assert sources.saved() == (folder / file,)
        sources.note_modules(True)
        assert sources.saved() == ()

    def test_a_module_loaded_in_another_way(self, folder):
        """A file that the user loads by importlib is watched, and forgotten, too."""
        write(folder / "w_own.py", "X = 1")
        sources = Sources(folder)
        spec = importlib.util.spec_from_file_location("w_loaded", folder / "w_own.py")
        module = sys.modules["w_loaded"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sources.note_modules(True)
        assert sources.files == (folder / "w_own.py",)
        sources.forget()
        assert "w_loaded" not in sys.modules


def test_all_is_as_it_was_afterwards(folder, monkeypatch):
    """Afterwards Python finds modules as before, and worker processes keep what they compile."""
    monkeypatch.delenv(NOTHING_KEPT, raising=False)
    hooks = list(sys.path_hooks)
    with Sources(folder).watched():
        assert sys.path_hooks != hooks
        assert os.environ[NOTHING_KEPT] == "1"
    assert sys.path_hooks == hooks
    assert NOTHING_KEPT not in os.environ


def test_odd_modules(folder, monkeypatch):
    """Whatever stands among the modules, nothing fails."""

    class Odd:
        __path__ = property(lambda self: 1 / 0)

    sources = Sources(folder)
    for name, odd in (("w_odd", Odd()), ("w_none", None), ("w_number", 3)):
        monkeypatch.setitem(sys.modules, name, odd)
    sources.note_modules(True)
    sources.forget()
    assert sources.files == ()
