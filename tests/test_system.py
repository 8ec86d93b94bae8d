"""`tests/system.sh`, which installs what the tests need of the system, on systems that are made of stubs."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "tests" / "system.sh"
DRIVER = "/usr/share/java/sqlite-jdbc.jar"
NEEDED = ("chromium", "curl", "faketime", "java", DRIVER)
PACKAGES = "chromium curl faketime openjdk-17-jre-headless libxerial-sqlite-jdbc-java"
INSTALL = "apt-get install -y -qq"


class System:
    """A directory that is all of PATH, where `apt-get` and `sudo` note how they are called."""

    def __init__(self, path: Path) -> None:
        self._root = path
        self._path = path / "bin"
        self._path.mkdir()
        self._log = path / "log"
        self._log.touch()

    def program(self, name: str, script: str = "") -> None:
        """Put a program there, or a file, by its path."""
        program = self._root / name[1:] if name.startswith("/") else self._path / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def remove(self, name: str) -> None:
        """Take a program away."""
        (self._path / name).unlink()

    def apt(self, *, code: int = 0, installs: tuple[str, ...] = NEEDED) -> None:
        """Put an `apt-get` there, which installs programs, or fails."""
        paths = [self._root / name[1:] if name.startswith("/") else self._path / name for name in installs]
        touch = "\n".join(
            f"/bin/mkdir -p {path.parent}; printf '#!/bin/sh\\n' >{path}; /bin/chmod +x {path}" for path in paths
        )
        self.program("apt-get", f'echo "apt-get $*" >>{self._log}\n[ "$1" = update ] && exit 0\n{touch}\nexit {code}')

    def user(self, number: int) -> None:
        """Let somebody be logged in."""
        self.program("id", f"echo {number}")

    def sudo(self, *, code: int = 0) -> None:
        """Put a `sudo` there, which asks for no password, or has to ask and fails."""
        self.program(
            "sudo", f'echo "sudo $*" >>{self._log}\n[ {code} = 0 ] || exit {code}\n[ "$1" = -n ] && shift\nexec "$@"'
        )
        self.program("true")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the script, without a terminal."""
        bash = shutil.which("bash")
        assert bash is not None
        return subprocess.run(
            [bash, str(SCRIPT), *arguments],
            env={"PATH": str(self._path), "SYSTEM_ROOT": str(self._root)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    @property
    def calls(self) -> list[str]:
        """How `apt-get` and `sudo` were called."""
        return self._log.read_text().splitlines()


@pytest.fixture
def system(tmp_path: Path) -> System:
    """Give a Debian that lacks everything, with root logged in."""
    system = System(tmp_path)
    system.apt()
    system.user(0)
    return system


class TestSystem:
    def test_nothing_is_done_where_nothing_is_missing(self, system: System) -> None:
        """And nothing is said."""
        for name in NEEDED:
            system.program(name)
        done = system.run()
        assert (done.returncode, done.stdout, done.stderr, system.calls) == (0, "", "", [])

    def test_root_installs_what_is_missing(self, system: System) -> None:
        """Only that, and it says what, and what for."""
        for name in NEEDED[1:]:
            system.program(name)
        done = system.run()
        assert (done.returncode, done.stderr) == (0, "")
        assert system.calls == ["apt-get update -qq", f"{INSTALL} chromium"]
        assert "the tests need chromium: the tests of the pages" in done.stdout
        assert done.stdout.splitlines()[-1] == "installing them: apt-get install -y chromium"

    def test_others_install_it_by_sudo(self, system: System) -> None:
        """Which is asked first whether it needs a password, for nobody is there to type one."""
        system.user(1000)
        system.sudo()
        done = system.run()
        assert (done.returncode, done.stderr) == (0, "")
        assert [call for call in system.calls if call.startswith("sudo")] == [
            "sudo -n true",
            "sudo apt-get update -qq",
            f"sudo {INSTALL} {PACKAGES}",
        ]
        assert done.stdout.splitlines()[-1] == f"installing them: sudo apt-get install -y {PACKAGES}"

    @pytest.mark.parametrize(
        ("prepare", "line"),
        [
            (lambda system: system.sudo(code=1), f"run 'sudo apt-get install -y {PACKAGES}'"),
            (lambda _system: None, f"as root, run 'apt-get install -y {PACKAGES}'"),
        ],
        ids=["sudo needs a password", "there is no sudo"],
    )
    def test_who_may_not_install_is_told_what_to_type(
        self, prepare: Callable[[System], None], line: str, system: System
    ) -> None:
        """In one line, and nothing is installed."""
        system.user(1000)
        prepare(system)
        done = system.run()
        assert (done.returncode, done.stderr) == (2, f"error: {line}; then run 'make test' again\n")
        assert not [call for call in system.calls if call.startswith("apt-get")]

    def test_other_systems_are_told_the_packages(self, system: System) -> None:
        """In one line."""
        system.remove("apt-get")
        done = system.run()
        line = f"error: with this system's package manager, install {PACKAGES}; then run 'make test' again\n"
        assert (done.returncode, done.stderr) == (2, line)

    def test_a_failure_of_apt_get_is_one(self, system: System) -> None:
        """Its own lines come first."""
        system.apt(code=100, installs=())
        done = system.run()
        assert (done.returncode, done.stderr.splitlines()[-1]) == (
            2,
            f"error: apt-get did not install {PACKAGES}: the lines above say why",
        )

    def test_a_package_without_its_program_is_an_error(self, system: System) -> None:
        """Otherwise the tests would fail later, and say less."""
        system.apt(installs=NEEDED[1:])
        done = system.run()
        assert (done.returncode, done.stderr) == (2, "error: chromium is installed, but not where PATH leads\n")


class TestBrowsers:
    def test_further_browsers_are_a_need_of_their_own(self, system: System) -> None:
        """Programs and packages have different names; what other tests need is left alone."""
        system.apt(installs=("firefox-esr", "WebKitWebDriver", "Xvfb"))
        done = system.run("browsers")
        assert (done.returncode, done.stderr) == (0, "")
        assert system.calls == ["apt-get update -qq", f"{INSTALL} firefox-esr webkit2gtk-driver xvfb"]

    def test_who_has_to_install_them_is_told_what_to_run_then(self, system: System) -> None:
        """Not the other tests."""
        system.remove("apt-get")
        done = system.run("browsers")
        assert (done.returncode, done.stderr.rpartition("; ")[2]) == (2, "then run 'make browsers' again\n")


class TestScript:
    def test_shellcheck_finds_nothing(self) -> None:
        """Of the strictest rules."""
        command = [str(Path(sys.executable).with_name("shellcheck")), "--severity=style", str(SCRIPT)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")

    def test_make_test_runs_it_first(self) -> None:
        """Before anything that takes long; CI does nothing else."""
        command = ["make", "--dry-run", "--no-print-directory", "test"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.stdout.splitlines()[0] == "tests/system.sh"
        assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "exec make test"
