"""One DuckDB in memory for the whole process, in which engines have a small database each.

Starting a DuckDB takes as long as many a query, and it keeps what it has read of files. Whoever loads many rows starts
one of their own.
"""

import os
from collections.abc import Callable
from functools import cache, partial
from itertools import count
from pathlib import Path
from tempfile import gettempdir
from weakref import finalize

import duckdb

__all__ = ["prepare", "shared_database"]

NUMBERS = count()
# It gives every row to each count of distinct values, also to the ones that filter: without it, the figures of one
# group of people take a third less time, and no metric takes longer.
UNWANTED = "distinct_aggregate_rewrite"


def prepare(database: duckdb.DuckDBPyConnection) -> None:
    """Set what every DuckDB of an engine needs: clocks show UTC."""
    database.execute("SET GLOBAL TimeZone = 'UTC'")
    database.execute(f"SET GLOBAL disabled_optimizers = '{UNWANTED}'")


def shared_database(owner: object) -> Callable[[], duckdb.DuckDBPyConnection]:
    """Make a database in memory, whose clocks show UTC. It goes when its owner goes.

    Args:
        owner: Whoever uses it.

    Returns:
        What gives a connection to the database. Each thread needs its own.
    """
    root, name = _started(os.getpid()), f"engine_{next(NUMBERS)}"
    with root.cursor() as connection:
        connection.execute(f"ATTACH ':memory:' AS {name}")
    finalize(owner, _detach, root, name)
    return partial(_connect, root, name)


@cache
def _started(process: int) -> duckdb.DuckDBPyConnection:
    """Start DuckDB. The threads of a DuckDB do not live on in a forked process, so that starts another one."""
    root = duckdb.connect()
    prepare(root)
    # What does not fit into memory. DuckDB makes the directory when it needs it, and removes it at the end.
    directory = str(Path(gettempdir()) / f"clickstream-{process}")
    root.execute("SET GLOBAL temp_directory = $directory", {"directory": directory})
    return root


def _connect(root: duckdb.DuckDBPyConnection, name: str) -> duckdb.DuckDBPyConnection:
    connection = root.cursor()
    connection.execute(f"USE {name}")
    return connection


def _detach(root: duckdb.DuckDBPyConnection, name: str) -> None:
    with root.cursor() as connection:
        connection.execute(f"DETACH {name}")
