"""What a database and a directory hold, for tests that something was left as it was."""

from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

__all__ = ["database_contents", "directory_contents"]

OBJECTS = """
SELECT 'relation', n.nspname || '.' || c.relname, c.relkind::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
UNION ALL
SELECT 'function', n.nspname || '.' || p.proname, '' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
UNION ALL
SELECT 'trigger', t.tgname, '' FROM pg_trigger t
UNION ALL
SELECT 'column', a.attrelid::regclass::text, a.attname FROM pg_attribute a WHERE a.attrelid >= 16384
"""


def database_contents(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Give every relation, function, trigger and column of a database, and every row of its own tables."""
    with psycopg.connect(url) as connection:
        objects = sorted(connection.execute(OBJECTS).fetchall())
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        rows = {
            f"{schema}.{table}": connection.execute(
                sql.SQL("SELECT * FROM {} AS each ORDER BY each::text").format(sql.Identifier(schema, table))
            ).fetchall()
            for schema, table in tables
        }
    return {"objects": objects, **rows}


def directory_contents(directory: Path) -> dict[str, bytes]:
    """Give every file below a directory, and what is in it."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
