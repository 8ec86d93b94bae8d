from pathlib import Path

import pytest

from analysis.errors import AnalysisError
from analysis.lake.compaction import compact
from analysis.lake.location import Location, NoLake, location_of
from analysis.lake.tables import open_tables, read_tables
from tests.support.raw_objects import START, Objects


class TestLocationOf:
    def test_a_name_comes_before_the_environment_and_that_before_the_home(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By default the lake is beside the other data of the local stack."""
        monkeypatch.setenv("CLICKSTREAM_HOME", str(tmp_path))
        monkeypatch.delenv("LAKE", raising=False)
        assert location_of() == Location(str(tmp_path / "lake"))
        monkeypatch.setenv("LAKE", str(tmp_path / "other"))
        assert location_of() == Location(str(tmp_path / "other"))
        assert location_of(str(tmp_path / "named")) == Location(str(tmp_path / "named"))

    def test_glue_has_its_data_in_a_bucket(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of the name in LAKE_BUCKET_NAME, or of the usual one."""
        monkeypatch.delenv("LAKE_BUCKET_NAME", raising=False)
        assert location_of("glue") == Location("s3://clickstream-s3-lake", is_glue=True)
        monkeypatch.setenv("LAKE_BUCKET_NAME", "shop-lake")
        assert str(location_of("glue")) == "glue (s3://shop-lake)"

    def test_a_bucket_alone_is_no_lake(self) -> None:
        """It has no catalog."""
        with pytest.raises(AnalysisError, match="s3://lake is not a lake: name a directory, or 'glue'"):
            location_of("s3://lake")

    @pytest.mark.parametrize("name", ["a#b", "a?b"])
    def test_a_directory_that_no_url_can_name_is_refused(self, tmp_path: Path, name: str) -> None:
        """The lake's files name each other by URLs."""
        with pytest.raises(AnalysisError, match=r"'#' and '\?' end a URL's path"):
            location_of(str(tmp_path / name))

    def test_a_name_that_is_not_utf_8_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Also where the environment has it."""
        monkeypatch.setenv("LAKE", str(tmp_path / "\udcff"))
        with pytest.raises(AnalysisError, match="whose name is not UTF-8"):
            location_of()


class TestLocation:
    def test_reading_makes_nothing(self, tmp_path: Path) -> None:
        """A lake that is not there stays so."""
        with pytest.raises(NoLake, match="there is no lake in"):
            open_tables(Location(str(tmp_path / "lake")))
        with pytest.raises(NoLake, match="there is no lake in"):
            read_tables(Location(str(tmp_path / "lake")))
        assert list(tmp_path.iterdir()) == []

    def test_reading_makes_no_tables(self, tmp_path: Path) -> None:
        """A catalog without tables, as a killed compaction may leave it, stays so."""
        (tmp_path / "catalog.db").touch()
        with pytest.raises(NoLake, match="has no tables yet"):
            read_tables(Location(str(tmp_path)))
        assert (tmp_path / "catalog.db").stat().st_size == 0

    def test_a_place_that_cannot_be_used_is_named(self, tmp_path: Path) -> None:
        """For example a file."""
        (tmp_path / "file").touch()
        place = Location(str(tmp_path / "file" / "lake"))
        with pytest.raises(AnalysisError, match=r"cannot use .*file/lake as lake"), place.locked():
            pass

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["two words", "100%", "é", "a+b"])
    def test_a_directory_may_have_any_name(self, tmp_path: Path, name: str) -> None:
        """Catalog and files write it as part of a URL."""
        objects = Objects()
        objects.add(received=1)
        place = location_of(str(tmp_path / name / "lake"))
        compact(objects.write(tmp_path / "shop-raw"), place, (START, START.replace(hour=10)))
        assert open_tables(place).events.scan().to_arrow().num_rows == 1
        assert read_tables(place).events.scan().to_arrow().num_rows == 1
        assert [path.name for path in tmp_path.iterdir()] in (["shop-raw", name], [name, "shop-raw"])
