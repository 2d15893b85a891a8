"""What import contracts cannot see: arrows in foreign keys and strings, the size of ideas."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps

ROOT = Path(__file__).parents[1]
ROOMS = [
    "clock",
    "audit",
    "access",
    "integrations",
    "calendar_guard",
    "streaming",
    "runs",
    "dashboard",
    "wedsync_loadtest",
]
LONGEST_FUNCTION = 50


def height(app: str) -> int:
    return ROOMS.index(app)


def sources() -> Iterator[tuple[Path, str]]:
    for room in [*ROOMS, "wedsync_cli"]:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


def test_foreign_keys_point_down_only() -> None:
    arrows = [
        (model._meta.app_label, field.related_model._meta.app_label)
        for model in apps.get_models()
        if model._meta.app_label in ROOMS
        for field in model._meta.get_fields()
        if field.concrete and field.is_relation and not isinstance(field.related_model, str)
        if field.related_model is not None
    ]
    ours = [(app, other) for app, other in arrows if other in ROOMS]
    assert ours
    assert [pair for pair in ours if height(pair[0]) < height(pair[1])] == []


def test_names_in_strings_point_down_only() -> None:
    """`get_model("app", ...)` and `send_task("app.name")` are arrows too."""
    upward = []
    for path, text in sources():
        for app in re.findall(r"(?:get_model|send_task)\(\s*\"(\w+)", text):
            if height(path.parts[0]) < height(app):
                upward.append(f"{path}: {app}")
    assert upward == []


def test_no_function_is_longer_than_an_idea() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}"
        for path, text in sources()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_whatever_a_door_passes_on_is_asked_for() -> None:
    """Import lint is off there. Words and errors are exempt: a caller may want to name them."""
    tests = ((path, path.read_text(encoding="utf-8")) for path in (ROOT / "tests").rglob("*.py"))
    trees = {path: ast.parse(text) for path, text in (*sources(), *tests)}
    asked = {name for tree in trees.values() for name in asked_of_doors(tree)}
    idle = [
        f"{path}: {name}"
        for path, tree in trees.items()
        if path.name == "services.py"
        for name in imported(tree) - own(tree) - asked
        if name.islower()
    ]
    assert idle == []


def asked_of_doors(tree: ast.Module) -> Iterator[str]:
    """`services.check`, `calendar_guard.check`, `from runs.services import Invalid`."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=door)) if door in {"services", *ROOMS}:
                yield node.attr
            case ast.ImportFrom(module=str(module)) if module.endswith(".services"):
                yield from (alias.name for alias in node.names)


def imported(tree: ast.Module) -> set[str]:
    nodes = (node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))
    return {alias.asname or alias.name for node in nodes for alias in node.names}


def own(tree: ast.Module) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
