from pathlib import Path

import polars as pl
import pytest

from analysis.checks.validation.evidence.spool import FILE_ROWS, Spool
from analysis.errors import AnalysisError

SCHEMA = pl.Schema({"number": pl.Int64})


class TestSpool:
    def test_rows_come_back_in_their_order(self) -> None:
        """In files of many rows, however many came at once."""
        with Spool() as spool:
            rows = spool.rows(SCHEMA)
            assert rows.parts().collect().schema == SCHEMA
            for first in range(0, 3 * FILE_ROWS, FILE_ROWS // 2):
                rows.add(pl.DataFrame({"number": range(first, first + FILE_ROWS // 2)}, SCHEMA))
            assert rows.count == rows.parts().rows == 3 * FILE_ROWS
            assert rows.parts().collect()["number"].to_list() == list(range(3 * FILE_ROWS))
            assert len(rows.parts().lazy) == 3

    def test_nothing_is_left(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Also if the work fails; and nobody else may read the files meanwhile."""
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

        def work() -> None:
            with Spool() as spool:
                spool.rows(SCHEMA).add(pl.DataFrame({"number": range(FILE_ROWS)}, SCHEMA))
                (directory,) = tmp_path.iterdir()
                assert directory.stat().st_mode & 0o777 == 0o700
                raise KeyError

        with pytest.raises(KeyError):
            work()
        assert list(tmp_path.iterdir()) == []

    def test_no_place_for_temporary_files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The message says how to name another one."""
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
        with pytest.raises(AnalysisError, match="TMPDIR"):
            Spool()
