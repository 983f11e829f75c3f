"""The checkout is the package: the list of packages, the archives, the wheel."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import pytest

import synthmark

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the source archive, and the wheel from it, as a release does."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "-q", "--no-isolation", "--outdir", out, ROOT],
        check=True,
        capture_output=True,
    )
    (found,) = out.glob("*.whl")
    return found


def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_every_room_is_listed_as_a_package():
    rooms = {
        ".".join(["synthmark", *path.parent.relative_to(ROOT).parts])
        for folder in ("kernels", "labeling")
        for path in ROOT.joinpath(folder).rglob("__init__.py")
    }
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    data = {f"synthmark.labeling.notices.{name}" for name in ("fonts", "voices", "web")}
    data.add("synthmark.labeling.rules")
    assert listed == rooms | data | {"synthmark"}


def test_the_version_stands_the_same_in_both_places():
    assert PROJECT["project"]["version"] == synthmark.__version__


def test_every_import_is_declared_and_every_declaration_is_used():
    modules = {
        "c2pa-python": "c2pa",
        "fonttools": "fontTools",
        "opencv-python-headless": "cv2",
        "pillow": "PIL",
    }
    project = PROJECT["project"]
    declared, optional = (
        {
            modules.get(name, name)
            for item in items
            for name in re.findall(r"^[\w-]+", item)
        }
        for items in (
            project["dependencies"],
            [
                item
                for extra in ("ocr", "postgresql", "registry")
                for item in project["optional-dependencies"][extra]
            ],
        )
    )
    source = "\n".join(
        path.read_text()
        for place in ("cli.py", "kernels/**/*.py", "labeling/**/*.py")
        for path in ROOT.glob(place)
    )
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", source, re.MULTILINE))
    imported -= {"__future__"}
    assert declared == imported - set(sys.stdlib_module_names) - optional


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    top = {name.split("/")[0] for name in names(wheel)}
    assert top == {"synthmark", f"synthmark-{synthmark.__version__}.dist-info"}
    inside = {
        name.split("/")[1] for name in names(wheel) if name.startswith("synthmark/")
    }
    assert not inside & {"tests", "samples", "bench", "docs", "build"}


def test_the_wheel_ships_all_data(wheel):
    data = {
        f"synthmark/{path.relative_to(ROOT).as_posix()}"
        for path in ROOT.joinpath("labeling").rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc", ".nbi", ".nbc"}
    }
    assert {PurePosixPath(name).suffix for name in data} >= {
        *(".js", ".md", ".opus", ".otf", ".toml", ".txt")
    }
    assert data | {"synthmark/py.typed"} <= set(names(wheel))


def test_the_wheel_works_outside_the_checkout(wheel, tmp_path):
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*install, "--target", tmp_path / "site", wheel], check=True)
    script = (
        "import sys; sys.path.insert(0, 'site'); import synthmark as sm, numpy as np;"
        "assert sm.__file__.startswith(sys.argv[1]), sm.__file__;"
        "host = np.random.default_rng(1).integers(80, 170, (256, 320, 3), np.uint8);"
        "result = sm.label(host, 'labeled.png');"
        "report = sm.detect('labeled.png');"
        "print(result.complete, report.verdict.value, report.payload == result.payload)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, str(tmp_path)],
        cwd=tmp_path,
        env={"SYNTHMARK_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["True", "confirmed", "True"], done.stderr
