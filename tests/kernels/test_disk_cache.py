"""Compiled code is kept where it can be, and where it cannot be a check goes on without."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import numba
import numpy as np
import pytest
from subprocesses import LONGEST
from unwritable import heed_permissions, surroundings_of, unwritable_copy, writable_again

from fastgrad.errors import FastgradWarning
from fastgrad.kernels import disk_cache, jit

COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has a temporary folder for each user")
needs_compiler = pytest.mark.skipif(not COMPILED, reason="nothing is compiled in this run")

CHECK = """
import warnings
warnings.simplefilter("error")
warnings.filterwarnings("default", message="compiled kernels cannot be kept")
import numpy as np, fastgrad
layers = [fastgrad.Dense(3, 4), fastgrad.Tanh(), fastgrad.Dense(4, 2)]
network = fastgrad.Network(layers, fastgrad.HalfSquaredError())
p = network.initial_parameters(0)
print(fastgrad.check(network.problem(p, np.ones((5, 3)), np.zeros((5, 2)))).verdict)
"""

QUICK_CHECK = """
import numpy as np, fastgrad
from fastgrad import kernels
cost = lambda x: kernels.half_squared_error(x, 0 * x)
print(fastgrad.check_gradient(cost, lambda x: x, np.ones(3)).verdict)
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """A read-only installation, and a home that cannot be written."""
    folder = tmp_path_factory.mktemp("installed")
    yield unwritable_copy(folder)
    writable_again(folder)


def ran(installation, temporary, code=CHECK):
    """A new Python of the read-only installation that ended well."""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=installation[0],
        env=surroundings_of(*installation, temporary),
        preexec_fn=heed_permissions,
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
    assert ended.returncode == 0, ended.stderr
    return ended


@needs_compiler
@posix
class TestReadOnlyInstallation:
    def test_the_simulation_holds(self, installation):
        """Neither the installation nor the home can be written, by root either."""
        for folder in installation:
            with pytest.raises(AssertionError, match="Permission denied"):
                ran(installation, "/", f"open({str(folder / 'new')!r}, 'w')")

    def test_the_temporary_folder_is_taken(self, installation, tmp_path):
        """A network is checked without a word; its kernels are in a folder that only its user may enter."""
        ended = ran(installation, tmp_path)

        (folder,) = tmp_path.glob("fastgrad-numba-*")
        assert (ended.stdout, ended.stderr) == ("agree\n", "")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert len(list(folder.rglob("*.nbc"))) > 3

    def test_without_a_temporary_folder(self, installation, tmp_path):
        """Where that cannot be written either the check is made all the same, and one line says so."""
        tmp_path.chmod(0o555)
        chosen = f"import tempfile; tempfile.tempdir = {str(tmp_path)!r}"
        ended = ran(installation, tmp_path, f"{chosen}\n{QUICK_CHECK}")
        tmp_path.chmod(0o700)

        assert ended.stdout == "agree\n"
        assert ended.stderr.count("compiled kernels cannot be kept on disk") == 1
        assert "set NUMBA_CACHE_DIR to a folder that you can write" in ended.stderr

    def test_a_trap_is_not_taken(self, installation, tmp_path):
        """A link in the place of the folder is left alone, with all that it leads to."""
        trap = tmp_path / "elsewhere"
        trap.mkdir(mode=0o700)
        (tmp_path / f"fastgrad-numba-{os.geteuid()}").symlink_to(trap)
        ended = ran(installation, tmp_path, QUICK_CHECK)

        assert ended.stdout == "agree\n"
        assert ended.stderr.count("compiled kernels cannot be kept on disk") == 1
        assert list(trap.iterdir()) == []


@posix
class TestPrivateFolder:
    @pytest.fixture(autouse=True)
    def temporary(self, tmp_path, monkeypatch):
        """The temporary folder of this process."""
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        return tmp_path

    def test_is_made_once(self, temporary):
        """It is the user's own, closed to others, and the same the next time."""
        folder = disk_cache.private_folder()

        assert folder.parent == temporary
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert disk_cache.private_folder() == folder

    @pytest.mark.parametrize("mode", [0o770, 0o707, 0o702, 0o755])
    def test_open_to_others(self, temporary, mode):
        """A folder that others may use is not taken, whoever opened it."""
        disk_cache.private_folder().chmod(mode)

        assert disk_cache.private_folder() is None

    def test_of_another_user(self, monkeypatch):
        """A folder that another user made in our place is not taken."""
        folder, mine = disk_cache.private_folder(), os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
        folder.rename(folder.with_name(f"fastgrad-numba-{mine + 1}"))

        assert disk_cache.private_folder() is None

    def test_a_file_or_a_link(self, temporary):
        """A file, a link to a good folder, and a link to nothing are not taken."""
        good = disk_cache.private_folder()
        elsewhere = good.rename(temporary / "good")
        good.symlink_to(elsewhere)
        assert disk_cache.private_folder() is None
        good.unlink()
        good.symlink_to(temporary / "nothing")
        assert disk_cache.private_folder() is None
        good.unlink()
        good.write_text("")
        assert disk_cache.private_folder() is None

    def test_where_others_may_rename(self, temporary):
        """In a folder where others may rename what is ours nothing is kept; where they may not, it is."""
        temporary.chmod(0o777)
        assert disk_cache.private_folder() is None
        temporary.chmod(0o1777)
        assert disk_cache.private_folder() is not None
        temporary.chmod(0o700)

    def test_no_temporary_folder(self, temporary, monkeypatch):
        """Where there is none at all, none is the answer."""
        monkeypatch.setattr(tempfile, "tempdir", str(temporary / "nothing" / "there"))

        assert disk_cache.private_folder() is None


CUBE = """
def cube(x):
    return x * x * x
"""


@needs_compiler
class TestFailingDisk:
    @pytest.fixture
    def cube(self, tmp_path, monkeypatch):
        """A function whose code is to be kept in a folder of the test; each call gives another dispatcher."""
        monkeypatch.setattr(disk_cache, "_said", disk_cache.threading.Event())
        monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
        path = tmp_path / "cube.py"
        path.write_text(CUBE)
        module = types.ModuleType("module_of_cube")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(CUBE, str(path), "exec"), vars(module))
        return lambda: jit.jit(module.cube)

    def kept(self, tmp_path, ending):
        """The files of the cache with this ending."""
        return list((tmp_path / "cache").rglob(f"*.{ending}"))

    def test_is_kept_and_found(self, cube, tmp_path):
        """On a good disk code is kept, and the next process takes it from there: the tests below can fail."""
        assert cube()(3.0) == 27.0
        assert len(self.kept(tmp_path, "nbc")) == 1
        again = cube()
        assert again(3.0) == 27.0
        assert sum(again.stats.cache_hits.values()) == 1

    @pytest.mark.parametrize("ending", ["nbi", "nbc"])
    @pytest.mark.parametrize("damage", [b"", b"\x80\x04", b"no pickle"])
    def test_damaged(self, cube, tmp_path, ending, damage):
        """An index or code that is cut off or overwritten is compiled anew, with one line said."""
        assert cube()(3.0) == 27.0
        for file in self.kept(tmp_path, ending):
            file.write_bytes(damage)
        with pytest.warns(FastgradWarning, match="compiled kernels cannot be kept on disk") as said:
            found = cube()(3.0), cube()(2)
        assert found == (27.0, 8)
        assert len(said) == 1

    def test_full(self, cube, monkeypatch):
        """A disk that is full when code is written loses nothing but the code, with one line said."""

        def full(*_):
            raise OSError(28, "No space left on device")

        compiled = cube()
        monkeypatch.setattr(compiled._cache._cache_file, "save", full)
        with pytest.warns(FastgradWarning, match="No space left on device") as said:
            found = compiled(3.0), compiled(np.float32(3))
        assert found == (27.0, 27.0)
        assert len(said) == 1

    def test_setting_of_numba_is_left(self, tmp_path, monkeypatch, cube):
        """Numba's own setting, which is for the user's functions too, is as before."""
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        monkeypatch.setattr(numba.config, "CACHE_DIR", "")
        compiled = numba.njit(lambda x: x)
        monkeypatch.setattr(compiled, "enable_caching", lambda: seen.append(numba.config.CACHE_DIR))
        seen = []
        assert disk_cache._keep_in(Path("/somewhere"), compiled, numba.config)
        assert (seen, numba.config.CACHE_DIR) == (["/somewhere"], "")
