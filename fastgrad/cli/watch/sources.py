"""The user's source files: which were read for a check, which were saved since, and how to forget them.

`session` reads the target within `Sources.watched`, and calls `forget` before each check, so that the target
and the modules of its folder, those of packages below it too, are imported anew. Libraries stay as they are.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.machinery as machinery
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastgrad
from fastgrad.cli.source_loader import SourceLoader

LIBRARIES = ("site-packages", "dist-packages", "node_modules")
"""Folders in which nobody writes the code that is checked; those with a dot in front are left out too."""

NOTHING_KEPT = "PYTHONDONTWRITEBYTECODE"
"""The variable by which worker processes keep nothing of a module that the next ones would take for its next
version, as SourceLoader says."""

Stamp = tuple[int, int, int] | None
"""Time of the last change in nanoseconds, size, inode; None for a file that is not there."""


def stamp_of(path: Path) -> Stamp:
    """What differs after each save, by renaming too."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class Sources:
    """The source files of a target.

    Parameters
    ----------
    root : the folder whose modules are the user's own
    target : the file of the target; None where it is a module, which an import finds
    """

    def __init__(self, root: Path, target: Path | None = None) -> None:
        self.root = root.resolve()
        self.target = target and _resolved(target)
        self._libraries = [place for place in _library_places() if self.root in place.parents]
        # Cached: libraries have thousands of modules, in a few hundred folders.
        self._is_own_folder = functools.cache(self._look_at_folder)
        self._before = set(sys.modules)
        self._stamps: dict[Path, Stamp] = {}
        self._listed: set[Path] | None = None
        """All source files there, where the target was not imported: one may have been missing."""
        self._remember()

    def is_own(self, path: Path) -> bool:
        """Whether a file belongs to what is watched, and to no library."""
        return self._is_own_folder(str(path.parent))

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Inside, the user's own modules are read from their sources, and remembered as they were then."""
        hooks, given = sys.path_hooks, os.environ.get(NOTHING_KEPT)
        sys.path_hooks = [self._finder, *hooks]
        os.environ[NOTHING_KEPT] = given or "1"
        self._drop_finders()
        try:
            yield
        finally:
            sys.path_hooks = hooks
            if given is None:
                del os.environ[NOTHING_KEPT]
            self._drop_finders()

    def forget(self) -> None:
        """Drop the user's own modules, so that the next import reads them again."""
        for name, module in list(sys.modules.items()):
            if name not in self._before and self._is_own_module(module):
                del sys.modules[name]
        importlib.invalidate_caches()
        self._stamps, self._listed = {}, None
        self._remember()

    def note_modules(self, complete: bool) -> None:
        """Remember the modules that were imported in another way.

        Parameters
        ----------
        complete : whether the target was imported; if not, it may wait for a file that is not there yet
        """
        for name, module in list(sys.modules.items()):
            file = _file_of(module)
            if file and name not in self._before and self._is_own_module(module):
                self._stamps.setdefault(_resolved(file), stamp_of(file))
        self._listed = None if complete else self._listing()

    def saved(self) -> tuple[Path, ...]:
        """The files that are not as they were when they were read."""
        found = [path for path, stamp in self._stamps.copy().items() if stamp_of(path) != stamp]
        if self._listed is not None:
            found += sorted((self._listing() ^ self._listed).difference(found))
        return tuple(found)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are watched, the target first."""
        return tuple(self._stamps)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders in which these files are, as far as they exist."""
        folders = dict.fromkeys([self.root, *(path.parent for path in self._stamps.copy())])
        return tuple(folder for folder in folders if folder.is_dir())

    def _remember(self) -> None:
        if self.target is not None:
            self._stamps[self.target] = stamp_of(self.target)

    def _listing(self) -> set[Path]:
        """The source files in these folders, and one level below: a package may be missing."""
        found = [path for folder in self.folders for glob in ("*.py", "*/*.py") for path in folder.glob(glob)]
        return {path for path in map(_resolved, found) if self.is_own(path)}

    def _is_own_module(self, module: Any) -> bool:
        file = _file_of(module)
        if file is not None:  # a compiled extension cannot be loaded twice
            return file.suffix == ".py" and self.is_own(file)
        return any(map(self._is_own_folder, _folders_of(module)))

    def _look_at_folder(self, folder: str) -> bool:
        place = Path(os.path.realpath(folder))
        if place != self.root and self.root not in place.parents:
            return False
        parts = place.relative_to(self.root).parts
        if any(part in LIBRARIES or part.startswith(".") for part in parts):
            return False
        return not any(library == place or library in place.parents for library in self._libraries)

    def _finder(self, folder: str) -> machinery.FileFinder:
        """A hook of importlib's: what finds modules in a folder."""
        if not self._is_own_folder(folder):
            raise ImportError(f"{folder} is not watched")
        return machinery.FileFinder(
            folder,
            (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES),
            (self._loader, machinery.SOURCE_SUFFIXES),  # type: ignore[arg-type]
            (machinery.SourcelessFileLoader, machinery.BYTECODE_SUFFIXES),
        )

    def _loader(self, name: str, path: str) -> SourceLoader:
        self._stamps[_resolved(Path(path))] = stamp_of(Path(path))  # before it is read
        return SourceLoader(name, path)

    def _drop_finders(self) -> None:
        for folder in [folder for folder in sys.path_importer_cache if self._is_own_folder(folder)]:
            sys.path_importer_cache.pop(folder, None)


def _resolved(path: Path) -> Path:
    """The path with its folder's links followed, but not its own: a file that is a link is saved in place."""
    return Path(os.path.realpath(path.parent)) / path.name if path.name else path.resolve()


def _library_places() -> list[Path]:
    """Where Python and fastgrad are: a project may hold both."""
    return [Path(place).resolve() for place in (sys.prefix, sys.base_prefix, Path(fastgrad.__file__).parent)]


def _file_of(module: Any) -> Path | None:
    file = getattr(module, "__dict__", {}).get("__file__")
    return Path(file) if isinstance(file, str) else None


def _folders_of(module: Any) -> list[str]:
    """The folders of a package without a file of its own."""
    try:
        return [str(folder) for folder in getattr(module, "__dict__", {}).get("__path__") or ()]
    except Exception:  # computed from a package above it, which may be gone
        return []
