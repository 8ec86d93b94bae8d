import gc
import subprocess
import sys

import duckdb
import pytest

from analysis.engines.shared import shared_database

NAMES = "SELECT database_name FROM duckdb_databases() WHERE NOT internal"
# A child that is forked while DuckDB runs asks its own one.
FORKING = """
import os
from analysis.engines.shared import shared_database
class Owner: pass
owner = Owner()
shared_database(owner)().execute("SELECT sum(i) FROM range(1000000) AS numbers(i)").fetchall()
child = os.fork()
if not child:
    of_child = Owner()
    found = shared_database(of_child)().execute("SELECT sum(i) FROM range(1000000) AS numbers(i)").fetchall()
    os._exit(found != [(499999500000,)])
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


class Owner:
    """Uses a database."""


class TestSharedDatabase:
    def test_owners_do_not_see_each_others_tables(self) -> None:
        """Under the same names, each has its own."""
        first, second = Owner(), Owner()
        databases = [shared_database(owner) for owner in (first, second)]
        for number, connect in enumerate(databases):
            connect().execute(f"CREATE SCHEMA public; CREATE TABLE public.events AS SELECT {number} AS number")
        assert [connect().execute("FROM public.events").fetchall() for connect in databases] == [[(0,)], [(1,)]]

    def test_a_database_goes_with_its_owner(self) -> None:
        """What it held is free again, and the others stay."""
        kept, gone = Owner(), Owner()
        connect, gone_with = shared_database(kept), shared_database(gone)
        gone_with().execute("CREATE TABLE numbers AS FROM range(1000)")
        with connect() as connection:
            before = connection.execute(NAMES).fetchall()
            del gone
            gc.collect()
            after = connection.execute(NAMES).fetchall()
            assert len(before) - len(after) == 1
            assert connection.execute("SELECT 1").fetchall() == [(1,)]
        with pytest.raises(duckdb.Error):
            gone_with()

    def test_clocks_show_utc(self) -> None:
        """Wherever the computer is."""
        owner = Owner()
        assert shared_database(owner)().execute("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]

    def test_a_forked_process_starts_its_own(self) -> None:
        """The parent's threads are not in it, so it would wait for ever."""
        done = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout == "0\n"
