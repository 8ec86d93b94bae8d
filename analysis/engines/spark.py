"""The engine over the lake on one machine or many: Apache Spark."""

import os
import platform
import shutil
from collections.abc import Mapping
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from analysis.engines.translation import translate
from analysis.errors import AnalysisError, NoTable
from analysis.lake.location import CATALOG, CATALOG_FILE, location_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["SparkEvents", "spark_session"]

NAMESPACE = f"{CATALOG}.clickstream"
DECIMALS = "clickstream.price-decimals"

# The driver for SQLite of Debian and Ubuntu: for Java, and the library that it loads.
DRIVER = Path("/usr/share/java/sqlite-jdbc.jar")
LIBRARIES = f"/usr/lib/{platform.machine()}-linux-gnu/jni"
RUNTIME = "iceberg-spark-runtime-3.5_2.12-*.jar"
LOOPBACK = "127.0.0.1"
EXTRA = "run 'make spark' (or install requirements-spark.txt)"
PACKAGES = "run 'apt-get install -y openjdk-17-jre-headless libxerial-sqlite-jdbc-java'"

_DTYPES: Mapping[str, pl.DataType] = {
    "boolean": pl.Boolean(),
    "int": pl.Int32(),
    "bigint": pl.Int64(),
    "double": pl.Float64(),
    "string": pl.String(),
    "date": pl.Date(),
}


class SparkEvents:
    """The lake in Apache Spark. Threads may share one object. The session stays the caller's."""

    # The lake has a table of orders, so revenue can be computed, and derived columns.
    has_orders = True
    has_derived = True

    def __init__(self, session: "SparkSession", namespace: str = NAMESPACE) -> None:
        """Remember the session.

        Args:
            session: Any session in UTC that sees the lake's tables: on this machine, on a cluster, in AWS Glue or EMR.
            namespace: Where the tables `events` and `orders` are, as Spark writes it: the catalog and its namespace.

        Raises:
            AnalysisError: The session is in another time zone, so its hours and days are others.
        """
        zone = session.conf.get("spark.sql.session.timeZone")
        if zone not in {"UTC", "Etc/UTC", "Z", "+00:00"}:
            advice = "session.conf.set('spark.sql.session.timeZone', 'UTC')"
            raise AnalysisError(f"the Spark session counts hours and days in {zone}: run {advice}")
        self._session = session
        self._namespace = namespace
        self._price_decimals: int | None = None

    @property
    def price_decimals(self) -> int:
        """How many decimals the prices keep, as the table has recorded."""
        if self._price_decimals is None:
            properties = dict(self._run(f"SHOW TBLPROPERTIES {self._namespace}.events").iter_rows())
            self._price_decimals = int(properties.get(DECIMALS, "0"))
        return self._price_decimals

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """Run one query, as `Engine` says. It may also use the tables `orders` and `order_items`, as over raw.

        Raises AnalysisError also if the query cannot be translated exactly, or does more than read.
        """
        return self._run(translate(sql, parameters, "spark", self._namespace))

    def _run(self, sql: str) -> pl.DataFrame:
        from pyspark.errors import PySparkException
        from pyspark.sql import functions

        try:
            frame = self._session.sql(sql)
            kinds = dict(frame.dtypes)
            # Times come as numbers: Python would get them in this machine's time zone.
            times = [name for name, kind in kinds.items() if kind == "timestamp"]
            columns = [functions.col(f"`{name}`") for name in kinds]
            numbers = [
                functions.unix_micros(column).alias(name) if name in times else column
                for name, column in zip(kinds, columns, strict=True)
            ]
            rows = [tuple(row) for row in frame.select(*numbers).collect()]
        except PySparkException as error:
            said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            if "TABLE_OR_VIEW_NOT_FOUND" in said:
                missing = f"the Spark session sees no tables in {self._namespace}"
                raise NoTable(f"{missing}: run 'python -m analysis compact', or name their namespace") from None
            raise AnalysisError(f"Spark cannot run this query: {said}") from error
        schema = {name: pl.Int64() if name in times else _dtype(kind) for name, kind in kinds.items()}
        return pl.DataFrame(rows, schema, orient="row").with_columns(pl.col(times).cast(pl.Datetime("us", "UTC")))


def _dtype(kind: str) -> pl.DataType:
    """Give the Polars type of a type as Spark writes it, such as `decimal(38,18)`."""
    if kind.startswith("decimal("):
        precision, scale = kind.removeprefix("decimal(").rstrip(")").split(",")
        return pl.Decimal(int(precision), int(scale))
    if kind not in _DTYPES:
        raise AnalysisError(f"a result cannot have the type {kind}: cast it, for example to TEXT")
    return _DTYPES[kind]


def spark_session(lake: str | None = None, master: str = "local[*]", **settings: str) -> "SparkSession":
    """Start Spark on this machine over a lake in a directory. A session that runs already is given again.

    Args:
        lake: The lake's directory. By default, the lake that `LAKE` names, else that of the local stack.
        master: `local[*]` for every processor in one process, `local-cluster[2,1,1024]` for two worker processes with
            one processor and 1024 MB each, or the URL of a cluster that sees the same directory.
        settings: Further settings of Spark, with `_` for each dot: `spark_driver_memory="4g"`.

    Returns:
        The session, in UTC, with the lake as its catalog `clickstream`. `stop()` ends it.

    Raises:
        AnalysisError: There is no lake in a directory, or something is not installed. The message says what to do.
    """
    location = location_of(lake)
    if location.is_glue:
        raise AnalysisError("a lake in Glue needs a session of a cluster that sees Glue: see docs/scale.md")
    if not location.exists:
        raise AnalysisError(f"there is no lake in {location}: make one with 'python -m analysis compact'")
    jars = ":".join(map(str, (_runtime(), _driver())))
    # Imported here, because it is an optional package.
    from pyspark.sql import SparkSession

    catalog = f"spark.sql.catalog.{CATALOG}"
    options = {
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.extraClassPath": jars,
        "spark.executor.extraClassPath": jars,
        "spark.driver.extraJavaOptions": f"-Djava.library.path={LIBRARIES}",
        "spark.executor.extraJavaOptions": f"-Djava.library.path={LIBRARIES}",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.type": "jdbc",
        f"{catalog}.uri": f"jdbc:sqlite:{location.root}/{CATALOG_FILE}",
        f"{catalog}.warehouse": location.url,
        f"{catalog}.jdbc.schema-version": "V1",
        **{name.replace("_", "."): value for name, value in settings.items()},
    }
    if master.startswith("local"):
        # Nobody else has to reach its processes. Java reads this once, when it starts.
        os.environ.setdefault("SPARK_LOCAL_IP", LOOPBACK)
        options |= {"spark.driver.bindAddress": LOOPBACK, "spark.driver.host": LOOPBACK}
    builder = SparkSession.builder.master(master).appName("clickstream-analysis")
    return builder.config(map=options).getOrCreate()


def _runtime() -> Path:
    """Find Iceberg for Spark, which comes with the extra."""
    if find_spec("pyspark") is None or find_spec("snowpark_connect_deps_iceberg") is None:
        raise AnalysisError(f"Apache Spark is not installed: {EXTRA}")
    return next(Path(str(files("snowpark_connect_deps_iceberg") / "jars")).glob(RUNTIME))


def _driver() -> Path:
    """Find the driver for the lake's catalog, and look for Java."""
    if shutil.which("java") is None or not DRIVER.is_file():
        raise AnalysisError(f"Spark needs Java, and Java's driver for SQLite: {PACKAGES}")
    return DRIVER
