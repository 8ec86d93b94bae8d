import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import boto3
import pytest
from click.testing import CliRunner, Result
from packaging.tags import sys_tags

from infra.package.build import Package, main
from infra.package.contents import UNZIPPED_BYTES, ZIPPED_BYTES, Contents, check
from infra.package.target import PackageError, Target, target_of
from tests.support.aws.deployment import Built, chalice, copy_project
from tests.support.aws.stacks import aws_server
from tests.support.stack_process import ROOT

pytestmark = pytest.mark.deploy

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
CPYTHON = f"{sys.version_info.major}{sys.version_info.minor}"
HERE = next(sys_tags())
READABLE = 0o100644 << 16
# An ELF header, as far as it matters: 64 bits, little-endian, a shared object for x86-64 or for AArch64.
X86_64, AARCH64 = (
    b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00" + machine + b"\x00" for machine in (b"\x3e", b"\xb7")
)


def wheel(folder: Path, name: str, tag: str = "py3-none-any", needs: str = "") -> None:
    """Write the wheel of `name` 1.0, which is one module."""
    about = f"{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n" + (f"Requires-Dist: {needs}\n" if needs else "")
    files = {
        f"{name}.py": b"",
        f"{about}/METADATA": metadata.encode(),
        f"{about}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{about}/RECORD"])
    with ZipFile(folder / f"{name}-1.0-{tag}.whl", "w") as zipped:
        for file, content in (files | {f"{about}/RECORD": record.encode()}).items():
            zipped.writestr(ZipInfo(file), content)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder that is all that pip finds distributions in."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a copy of the project that needs nothing but what a test says."""
    copy = copy_project(tmp_path / "project")
    (copy / "requirements.txt").write_text("")
    (copy / "requirements.lock").unlink()
    return copy


def configure(project: Path, **settings: Any) -> None:
    file = project / ".chalice" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))


def run(project: Path) -> Result:
    return CliRunner().invoke(main, [str(project), "--out", str(project.parent / "package.zip")])


def refusal(project: Path) -> str:
    """The one line that says why there is no package, nowhere."""
    done = run(project)
    assert done.exit_code == 2, done.output
    assert not list((project / ".chalice").glob("deployments/*"))
    assert not (project.parent / "package.zip").exists()
    (line,) = done.stderr.splitlines()
    return line.removeprefix("Error: ")


class TestPackage:
    def test_what_is_committed_is_fit_for_lambda(self, deployment: Built) -> None:
        """The app, Chalice's runtime, psycopg and what that needs, and nothing else, in less than 15 MB."""
        with ZipFile(deployment.package) as zipped:
            names = zipped.namelist()
            size = sum(entry.file_size for entry in zipped.infolist())
        assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {
            "app.py",
            "chalice",
            "chalicelib",
            "psycopg",
            "psycopg_binary",
            "psycopg_binary.libs",
            "typing_extensions.py",
        }
        assert {name for name in names if name.startswith("chalicelib/") and name.endswith(".py")} == {
            path.relative_to(ROOT / "chalice_app").as_posix()
            for path in (ROOT / "chalice_app" / "chalicelib").rglob("*.py")
        }
        assert deployment.said == {
            "package": str(deployment.package),
            "files": len(names),
            "zipped_bytes": deployment.package.stat().st_size,
            "unzipped_bytes": size,
            "python": PYTHON,
            "architecture": "x86_64",
        }
        assert deployment.said["zipped_bytes"] < 15_000_000

    def test_psycopg_s_binary_is_inside(self, deployment: Built) -> None:
        """For Lambda's machine and Python."""
        with ZipFile(deployment.package) as zipped:
            modules = [name for name in zipped.namelist() if name.startswith("psycopg_binary/") and ".so" in name]
            heads = {zipped.read(name)[:20] for name in zipped.namelist() if ".so" in name}
        assert f"psycopg_binary/_psycopg.cpython-{CPYTHON}-x86_64-linux-gnu.so" in modules
        assert {(head[:5], head[18:20]) for head in heads} == {(b"\x7fELF\x02", b"\x3e\x00")}

    def test_the_same_project_gives_the_same_bytes(self, deployment: Built, tmp_path: Path) -> None:
        """Elsewhere, checked out at another time, over what an earlier run left behind; said for people, too."""
        project, package = copy_project(tmp_path / "project"), tmp_path / "package.zip"
        for module in (project / "chalicelib").iterdir():
            os.utime(module, (1_700_000_000, 1_700_000_000))
        (project / "chalicelib" / "__pycache__").mkdir()
        (project / "chalicelib" / "__pycache__" / "gone.cpython-311.pyc").write_bytes(b"old")
        old = project / ".chalice" / "deployments" / "old.zip"
        old.parent.mkdir()
        old.write_bytes(b"old")
        command = [sys.executable, "-m", "infra.package", "project", "--out", "package.zip"]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr
        assert package.read_bytes() == deployment.package.read_bytes()
        assert [file.name for file in old.parent.iterdir()] == [file.name for file in deployment.kept]
        zipped, unzipped = (f"{deployment.said[how] / 1e6:.1f} MB" for how in ("zipped_bytes", "unzipped_bytes"))
        files = f"{deployment.said['files']} files, {zipped}, unzipped {unzipped}"
        assert done.stdout == f"package.zip: {files}, for {PYTHON} on x86_64\n"


class TestArchitecture:
    def test_arm64_needs_a_python_whose_lambda_has_a_newer_glibc(self, tmp_path: Path) -> None:
        """The pinned driver's wheel needs glibc 2.27; Lambda has that from python3.12 on (Amazon Linux 2023)."""
        project = copy_project(tmp_path / "project")
        configure(project, lambda_architecture="arm64")
        if sys.version_info < (3, 12):
            assert re.search(r"no wheel of psycopg-binary==\S+ for python3\.11 on arm64", refusal(project))
        else:
            assert run(project).exit_code == 0


class TestReuse:
    def test_chalice_deploys_just_this_package(self, deployment: Built) -> None:
        """Although it imports the app in between."""
        with aws_server() as url:
            clients = {
                name: boto3.client(
                    name, "eu-central-1", endpoint_url=url, aws_access_key_id="a", aws_secret_access_key="b"
                )
                for name in ("s3", "lambda")
            }
            clients["s3"].create_bucket(
                Bucket="clickstream-s3-ingest-dev", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
            )
            said = chalice(deployment.project, "deploy", "--stage", "dev", AWS_ENDPOINT_URL=url)
            functions = clients["lambda"].list_functions()["Functions"]
        assert "Reusing existing deployment package." in said
        digest = b64encode(hashlib.sha256(deployment.package.read_bytes()).digest()).decode()
        assert {function["FunctionName"]: function["CodeSha256"] for function in functions} == {
            "clickstream-dev": digest,
            "clickstream-dev-projector": digest,
            "clickstream-dev-operations": digest,
            "clickstream-dev-reconciler": digest,
        }
        assert [file.read_bytes() for file in deployment.kept] == [deployment.package.read_bytes()]

    @pytest.mark.parametrize("stage", ["dev", "prod"])
    def test_chalice_packages_for_terraform(self, stage: str, deployment: Built, tmp_path: Path) -> None:
        """All functions with their own policies, and the notification; of the same package."""
        out = tmp_path / "terraform"
        said = chalice(deployment.project, "package", "--pkg-format", "terraform", "--stage", stage, str(out))
        assert "Reusing existing deployment package." in said
        assert (out / "deployment.zip").read_bytes() == deployment.package.read_bytes()
        made = json.loads((out / "chalice.tf.json").read_text())["resource"]
        functions = {
            function["function_name"]: (function["handler"], function["runtime"], function["tags"]["component"])
            for function in made["aws_lambda_function"].values()
        }
        assert functions == {
            f"clickstream-{stage}": ("app.app", PYTHON, "clickstream-lambda-ingest"),
            f"clickstream-{stage}-projector": ("app.project", PYTHON, "clickstream-lambda-projector"),
            f"clickstream-{stage}-operations": ("app.operate", PYTHON, "clickstream-lambda-operations"),
            f"clickstream-{stage}-reconciler": ("app.reconcile", PYTHON, "clickstream-lambda-reconciler"),
        }
        policies = {name: json.loads(role["policy"]) for name, role in made["aws_iam_role_policy"].items()}
        committed = {
            role: json.loads((ROOT / "chalice_app" / ".chalice" / f"policy-{name}.json").read_text())
            for role, name in (
                ("api_handler_role", "ingest"),
                ("projector_role", "projector"),
                ("operations_role", "operations"),
                ("reconciler_role", "reconciler"),
            )
        }
        assert policies == committed
        (notification,) = made["aws_s3_bucket_notification"].values()
        suffix = "" if stage == "prod" else f"-{stage}"
        assert notification["bucket"] == f"clickstream-s3-ingest{suffix}"
        (trigger,) = notification["lambda_function"]
        assert trigger == {
            "events": ["s3:ObjectCreated:*"],
            "lambda_function_arn": "${aws_lambda_function.projector.arn}",
            "filter_prefix": "events/",
            "filter_suffix": ".json",
        }


class TestWheels:
    def test_one_that_is_missing_for_the_target_is_an_error(self, index: Path, project: Path) -> None:
        """There is one for this machine, and Chalice would only warn."""
        other = "arm64" if HERE.platform.endswith("x86_64") else "x86_64"
        wheel(index, "odd", str(HERE))
        (project / "requirements.txt").write_text("odd==1.0\n")
        configure(project, lambda_architecture=other)
        assert refusal(project) == (
            f"no wheel of odd==1.0 for {PYTHON} on {other}: pin another version, or choose another lambda_architecture"
        )

    def test_nothing_is_compiled_here(self, index: Path, project: Path) -> None:
        """A distribution that has its sources only; not even its build is run."""
        sources = index / "odd-1.0"
        sources.mkdir()
        (sources / "setup.py").write_text(f"open({str(project / 'was-run')!r}, 'w')")
        (sources / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
        shutil.make_archive(str(sources), "gztar", index, "odd-1.0")
        (project / "requirements.txt").write_text("odd==1.0\n")
        assert refusal(project) == "pip finds no wheel of odd==1.0: pin another version, or check pip's index"
        assert not (project / "was-run").exists()

    def test_requirements_that_contradict_each_other_are_an_error(self, index: Path, project: Path) -> None:
        """In pip's words."""
        wheel(index, "odd", needs="even==2.0")
        wheel(index, "even")
        (project / "requirements.txt").write_text("odd==1.0\neven==1.0\n")
        assert "the requirements cannot be downloaded: Cannot install" in refusal(project)

    def test_what_comes_along_unpinned_is_an_error(self, index: Path, project: Path) -> None:
        """It may be anything tomorrow."""
        wheel(index, "odd", needs="even")
        wheel(index, "even")
        (project / "requirements.txt").write_text("odd==1.0  # for its oddness\n")
        assert refusal(project).startswith("even 1.0 came along: pin it in requirements.txt")

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("odd", "'odd' is not pinned to one version, as odd==1.2.3"),
            ("odd>=1.0", "'odd>=1.0' is not pinned to one version"),
            ("odd @ file:///odd", "'odd @ file:///odd' is not pinned to one version"),
            ("./odd", "'./odd' is not a version that is pinned, as name==1.2.3"),
            ("-r other.txt", "'-r other.txt' is not a version that is pinned"),
        ],
    )
    def test_what_is_not_pinned_is_an_error(self, line: str, reason: str, project: Path) -> None:
        """Before pip is asked."""
        (project / "requirements.txt").write_text(f"# why\n\n{line}\n")
        assert refusal(project).startswith(f"requirements.txt: {reason}")

    def test_a_pin_that_does_not_apply_is_an_error(self, index: Path, project: Path) -> None:
        """Somebody thinks that it is inside."""
        wheel(index, "odd")
        (project / "requirements.txt").write_text("odd==1.0\neven==1.0; python_version < '3'\n")
        assert refusal(project) == "even==1.0 is pinned in requirements.txt, but not inside the package"

    def test_psycopg_without_its_binary_is_an_error(self, index: Path, project: Path) -> None:
        """It would look for a libpq in Lambda; what is refused is not left for Chalice to deploy."""
        wheel(index, "psycopg")
        (project / "requirements.txt").write_text("psycopg==1.0\n")
        assert refusal(project).startswith(f"psycopg's binary for {PYTHON} on x86_64 is not inside")


class TestProject:
    @pytest.mark.parametrize("target", ["elsewhere", "elsewhere/module.py", "nowhere"])
    @pytest.mark.parametrize("folder", ["chalicelib", "vendor/deeper"])
    def test_a_link_is_refused(self, folder: str, target: str, project: Path) -> None:
        """Chalice leaves out folders that chalicelib links to without a word."""
        (project.parent / "elsewhere").mkdir()
        (project.parent / "elsewhere" / "module.py").touch()
        (project / folder).mkdir(parents=True, exist_ok=True)
        (project / folder / "linked").symlink_to(project.parent / target)
        assert refusal(project).startswith(f"{project / folder / 'linked'} is a symbolic link")

    def test_what_is_no_module_is_refused(self, index: Path, project: Path) -> None:
        """Whatever lies in chalicelib would be deployed."""
        del index
        (project / "chalicelib" / "notes.txt").touch()
        assert refusal(project).startswith(
            "the package holds files that belong neither to the app nor to a pinned requirement: ch"
        )

    def test_a_module_that_does_not_compile_is_refused(self, project: Path) -> None:
        """By its name and line."""
        (project / "chalicelib" / "odd.py").write_text("\ndef odd(:\n")
        assert 'chalicelib/odd.py", line 2' in refusal(project)

    @pytest.mark.parametrize(
        ("config", "reason"),
        [
            ({"lambda_architecture": "mips"}, "config.json: lambda_architecture must be one of x86_64, arm64"),
            ({"stages": {"a": {"lambda_architecture": "arm64"}, "b": {}}}, "differ in lambda_architecture"),
            ({"version": "3.0"}, "config.json: Unknown version '3.0'"),
        ],
    )
    def test_a_configuration_that_makes_no_sense_is_refused(
        self, config: dict[str, Any], reason: str, project: Path
    ) -> None:
        """By what is wrong with it."""
        configure(project, **config)
        assert reason in refusal(project)

    def test_a_directory_of_something_else_is_refused(self, project: Path) -> None:
        """It has no configuration, no app or no library."""
        (project / "app.py").unlink()
        assert refusal(project).startswith(f"{project} has no app.py: name the directory of a Chalice project")
        (project / "app.py").touch()
        shutil.rmtree(project / "chalicelib")
        assert refusal(project).startswith(f"{project} has no chalicelib")
        (project / ".chalice" / "config.json").unlink()
        assert "config.json: " in refusal(project)

    def test_it_is_made_for_the_architecture_of_its_stages(self, project: Path) -> None:
        """x86_64, if they name none."""
        assert target_of(project) == Target(PYTHON, "x86_64")
        configure(project, stages={"dev": {"lambda_architecture": "arm64"}})
        assert target_of(project) == Target(PYTHON, "arm64")


class TestCheck:
    """On the real package, altered."""

    @pytest.fixture
    def altered(self, deployment: Built, tmp_path: Path) -> Built:
        """Give the package and its project as copies of the test's own."""
        project = Path(shutil.copytree(deployment.project, tmp_path / "project"))
        package = Path(shutil.copyfile(deployment.package, tmp_path / "package.zip"))
        return replace(deployment, project=project, package=package)

    @pytest.fixture
    def add(self, altered: Built) -> Callable[..., None]:
        """Give a function that adds a file to the package, and to vendor/, which is where anything may come from."""

        def add(name: str, content: bytes, mode: int = READABLE) -> None:
            entry = ZipInfo(name)
            entry.external_attr = mode
            with ZipFile(altered.package, "a") as zipped:
                zipped.writestr(entry, content)
            (altered.project / "vendor").mkdir(exist_ok=True)
            (altered.project / "vendor" / name).write_bytes(content)

        return add

    def reason(self, altered: Built, target: Target = Target(PYTHON, "x86_64")) -> str:  # noqa: B008  # frozen
        with pytest.raises(PackageError) as refused:
            check(altered.package, altered.project, target)
        return refused.value.message

    def test_vendor_may_hold_anything(self, altered: Built, add: Callable[..., None]) -> None:
        """That Lambda can read and run."""
        add("ca.pem", b"x")
        add("odd.so", X86_64)
        contents = check(altered.package, altered.project, Target(PYTHON, "x86_64"))
        assert contents.files == altered.said["files"] + 2

    def test_another_machine_or_python_is_refused(self, altered: Built) -> None:
        """By the header of each shared object, and by the name of each extension module."""
        assert self.reason(altered, Target(PYTHON, "arm64")).endswith(f"is machine code, but not for {PYTHON} on arm64")
        assert self.reason(altered, Target("python3.9", "x86_64")).endswith(
            "for another Python than python3.9 on x86_64"
        )

    @pytest.mark.parametrize(
        ("name", "content"),
        [("odd.so", AARCH64), ("odd", AARCH64), ("odd.so.1.2", b"\xcf\xfa\xed\xfe"), ("odd.so", b"")],
    )
    def test_machine_code_for_another_machine_is_refused(
        self, name: str, content: bytes, altered: Built, add: Callable[..., None]
    ) -> None:
        """Whatever its name, and whatever the machine's format."""
        add(name, content)
        assert self.reason(altered) == f"{name} is machine code, but not for {PYTHON} on x86_64"

    def test_what_nobody_asked_for_is_refused(self, altered: Built) -> None:
        """The first three are named."""
        with ZipFile(altered.package, "a") as zipped:
            for name in ("tests/test_app.py", "polars/__init__.py", "notes.ipynb", "analysis/commands/main.py"):
                zipped.writestr(name, "")
        assert self.reason(altered) == (
            "the package holds files that belong neither to the app nor to a pinned requirement: "
            "analysis/commands/main.py, notes.ipynb, polars/__init__.py and 1 more"
        )

    def test_what_is_missing_is_refused(self, altered: Built) -> None:
        """A module of chalicelib that is not inside."""
        (altered.project / "chalicelib" / "late.py").touch()
        assert self.reason(altered) == "the package lacks: chalicelib/late.py"

    def test_what_only_its_owner_can_read_is_refused(self, altered: Built, add: Callable[..., None]) -> None:
        """Lambda is another user."""
        add("private.pem", b"", 0o100600 << 16)
        assert self.reason(altered).startswith("Lambda could not read private.pem: run 'umask 022'")

    def test_too_much_zipped_is_refused(self, altered: Built, add: Callable[..., None]) -> None:
        """From 15 MB on."""
        room = ZIPPED_BYTES - altered.package.stat().st_size
        add("large", bytes(room))
        assert self.reason(altered).startswith("the package is too large: 15,000,")

    def test_too_much_unzipped_is_refused(self, altered: Built, monkeypatch: pytest.MonkeyPatch) -> None:
        """From 250 MB on."""
        assert UNZIPPED_BYTES == 250_000_000
        monkeypatch.setattr("infra.package.contents.UNZIPPED_BYTES", altered.said["unzipped_bytes"])
        size = f"{altered.said['unzipped_bytes']:,}"
        assert self.reason(altered) == f"the package is too large: {size} bytes unzipped, but the limit is {size}"


class TestCommand:
    def test_a_place_that_cannot_be_written_is_an_error(
        self, deployment: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Named as what it is."""
        package = Package(deployment.kept[0], Target(PYTHON, "x86_64"), Contents(1, 1, 1))
        monkeypatch.setattr("infra.package.build.build", lambda _project: package)
        out = tmp_path / "nowhere" / "package.zip"
        done = CliRunner().invoke(main, [str(deployment.project), "--out", str(out)])
        assert (done.exit_code, done.stderr) == (2, f"Error: {out}: No such file or directory\n")

    def test_help_teaches(self) -> None:
        """What may be inside, what is refused, where the package stays."""
        said = CliRunner().invoke(main, ["--help"]).output
        assert "The build fails if a requirement has no wheel for Lambda" in " ".join(said.split())
        assert "DIR/.chalice/deployments" in said
        assert "python -m infra.package chalice_app --out package.zip" in said


class TestLock:
    def test_a_wheel_that_was_not_locked_is_refused(self, index: Path, project: Path) -> None:
        """It is another than the one whose hash was noted, though it says the same name and version."""
        wheel(index, "odd")
        (project / "requirements.txt").write_text("odd==1.0\n")
        lock = project / "requirements.lock"
        lock.write_text(f"odd==1.0 --hash=sha256:{'0' * 64}\n")
        assert refusal(project).startswith("odd-1.0-py3-none-any.whl is not what requirements.lock names")
        (path,) = index.iterdir()
        lock.write_text(f"odd==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n")
        assert refusal(project).startswith("psycopg's binary")  # which is looked for next
