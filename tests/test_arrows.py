"""Who may import whom: every import statement is walked, inside functions too."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

ROOMS = {
    "fingerprints",
    "marks",
    "media",
    "metadata",
    "notices",
    "provenance",
    "records",
}
FLOOR = {"errors", "model", "files", "payload", "keys"}
PACKAGES = ("kernels", "labeling")
# What the modules of the floor build on, themselves from the ground up.
FLOOR_ARROWS = {
    "errors": set(),
    "files": {"errors"},
    "payload": {"errors"},
    "keys": {"errors", "files"},
    "model": {"payload"},
}


def modules() -> Iterator[tuple[str, ...]]:
    """Yield each module of the package as its place: ("labeling", "media", "probe")."""
    for name in ("__init__", "__main__", "cli"):
        yield (name,)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).with_suffix("").parts


def imported(place: tuple[str, ...]) -> set[tuple[str, ...]]:
    """Return what a module imports: our modules as places, others as ("", name)."""
    path = ROOT.joinpath(*place).with_suffix(".py")
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {("", alias.name.split(".")[0]) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            assert node.module
            found.add(("", node.module.split(".")[0]))
        elif isinstance(node, ast.ImportFrom):
            base = place[: len(place) - node.level]
            assert len(place) >= node.level, f"{place} imports from above the package"
            module = (*base, *(node.module or "").split(".")) if node.module else base
            for alias in node.names:
                inner = (*module, alias.name)
                found.add(inner if is_module(inner) else module)
    return found


def is_module(place: tuple[str, ...]) -> bool:
    path = ROOT.joinpath(*place)
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def name(place: tuple[str, ...]) -> str:
    return ".".join(place)


def allowed(place: tuple[str, ...], target: tuple[str, ...]) -> bool:
    """Say whether one of our modules may import another."""
    if place == ("__main__",):
        return target == ("cli",)
    if place == ("__init__",):
        return target[0] == "labeling"
    if place == ("cli",):
        return target == () or target[0] == "labeling"
    if place[0] == "kernels":
        return target[0] == "kernels"
    inside, aim = place[1], target[1] if len(target) > 1 else ""
    if inside in FLOOR:
        return target[0] == "labeling" and aim in FLOOR_ARROWS[inside]
    if inside in ROOMS:
        own = target[:2] == place[:2] or (target[0] == "labeling" and aim in FLOOR)
        return own or (inside in {"fingerprints", "marks"} and target[0] == "kernels")
    # The composing modules: the version, the floor, rooms, and each other.
    return target == () or target[0] == "labeling"


@pytest.mark.parametrize("place", list(modules()), ids=name)
def test_only_the_arrows_of_the_design(place: tuple[str, ...]) -> None:
    ours = {target for target in imported(place) if target[:1] != ("",)}
    assert [name(t) for t in sorted(ours) if not allowed(place, t)] == []


def test_the_walk_sees_every_kind_of_import() -> None:
    # Were the walk blind, the test above could not fail.
    assert ("labeling", "page") in imported(("cli",))  # inside a function
    assert ("kernels", "spread") in imported(("labeling", "marks", "image"))
    assert ("labeling", "media", "image") in imported(("labeling", "picture"))
    assert () in imported(("labeling", "work"))  # the version
    assert ("", "numba") in imported(("kernels", "_jit"))
    assert len(list(modules())) > 40


@pytest.mark.parametrize("place", list(modules()), ids=name)
def test_the_package_is_imported_relatively(place: tuple[str, ...]) -> None:
    assert ("", "synthmark") not in imported(place)


def test_composing_modules_do_not_go_in_circles() -> None:
    composing = {
        place
        for place in modules()
        if len(place) == 2 and place[0] == "labeling" and place[1] not in FLOOR
    }
    arrows = {place: imported(place) & composing - {place} for place in composing}
    while arrows:
        free = {place for place, targets in arrows.items() if not targets & {*arrows}}
        assert free, f"a circle among {sorted(map(name, arrows))}"
        arrows = {place: arrows[place] for place in arrows if place not in free}


def test_no_module_at_the_root_bears_a_name_of_the_standard_library() -> None:
    # The checkout is the package, so its folder may stand on somebody's path.
    names = {path.stem for path in ROOT.glob("*.py")} | {
        path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()
    }
    assert names - {"__init__", "__main__"} == {"cli", *PACKAGES}
    assert not names & set(sys.stdlib_module_names) - {"__main__"}


@pytest.mark.parametrize("folder", ["", *PACKAGES, *(f"labeling/{r}" for r in ROOMS)])
def test_packages_import_only_the_standard_library_when_loaded(folder: str) -> None:
    tree = ast.parse((ROOT / folder / "__init__.py").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Import):
            names = {alias.name.split(".")[0] for alias in node.names}
            assert names <= set(sys.stdlib_module_names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module
            assert node.module.split(".")[0] in sys.stdlib_module_names
