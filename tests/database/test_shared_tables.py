"""Two versions share one database while one process after another is replaced: what migrations may do."""

from __future__ import annotations

import ast
from pathlib import Path

import farm.database.migrations as migrations

ALONE = "0030"
"""Up to here no two versions ever shared a database: there was no release."""

TAKES = {"drop_column", "drop_table", "alter_column", "rename_table", "drop_constraint", "execute"}
"""What may take something away from code that does not know of it, or change what it means."""


def faults(name: str, source: str) -> list[str]:
    """Return what an older version could not live with in a migration's script."""
    tree = ast.parse(source)
    since = [
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        and any(isinstance(target, ast.Name) and target.id == "UNUSED_SINCE" for target in node.targets)
    ]  # fmt: skip
    upgrade = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade")
    calls = [node for node in ast.walk(upgrade) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    found = []
    for call in calls:
        assert isinstance(call.func, ast.Attribute)
        if call.func.attr in TAKES and not (since and str(since[0]) <= migrations.OLDEST):
            found.append(f"{name}: {call.func.attr} without UNUSED_SINCE, or OLDEST is before it")
        if call.func.attr == "add_column" and not _may_be_left_out(call):
            found.append(f"{name}: a new column without a server_default that may not be NULL")
    return found


def _may_be_left_out(call: ast.Call) -> bool:
    column = next(arg for arg in call.args if isinstance(arg, ast.Call))
    given = {word.arg: word.value for word in column.keywords}
    nullable = given.get("nullable")
    refuses = isinstance(nullable, ast.Constant) and nullable.value is False
    return not refuses or "server_default" in given


def test_a_version_can_work_on_the_tables_of_the_next() -> None:
    folder = Path(migrations.__file__).parent / "versions"
    found = [path for path in sorted(folder.glob("[0-9]*.py")) if path.name[:4] > ALONE]
    assert [fault for path in found for fault in faults(path.name, path.read_text("utf-8"))] == []
    assert ALONE <= migrations.OLDEST <= migrations.HEAD


def test_what_would_break_the_version_before_is_found() -> None:
    script = "def upgrade():\n    op.{}\n"
    for act in ('drop_column("job", "name")', 'alter_column("job", "name", new_column_name="title")'):
        assert len(faults("x", script.format(act))) == 1
        assert len(faults("x", 'UNUSED_SINCE = "9998"\n' + script.format(act))) == 1
        assert faults("x", f'UNUSED_SINCE = "{ALONE}"\n' + script.format(act)) == []
    assert len(faults("x", script.format('add_column("job", sa.Column("a", BIG, nullable=False))'))) == 1
    for good in ("nullable=True", 'nullable=False, server_default="0"'):
        assert faults("x", script.format(f'add_column("job", sa.Column("a", BIG, {good}))')) == []
