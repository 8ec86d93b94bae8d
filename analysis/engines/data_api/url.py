"""The URL of a warehouse that is read through the RDS Data API, and written by the stage's operations function.

It stands wherever a libpq URL does: `rds-data://database?cluster=ARN&secret=ARN&function=NAME`. It holds no password.
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from analysis.errors import AnalysisError

__all__ = ["DataApiUrl", "data_api_url", "function_of"]

SCHEME = "rds-data"
EXAMPLE = f"{SCHEME}://clickstream_dw?cluster=arn:aws:rds:…&secret=arn:aws:secretsmanager:…"
REGION = 3  # its place in an ARN


@dataclass(frozen=True)
class DataApiUrl:
    """A warehouse behind the Data API.

    Attributes:
        database: Its name.
        cluster: ARN of the Aurora cluster.
        secret: ARN of the secret of a user who may read.
        function: Name of the operations function, which repairs the warehouse; empty if there is none.
    """

    database: str
    cluster: str
    secret: str
    function: str = ""

    def __str__(self) -> str:
        named = {"cluster": self.cluster, "secret": self.secret, "function": self.function}
        return f"{SCHEME}://{self.database}?{urlencode({key: value for key, value in named.items() if value})}"

    @property
    def region(self) -> str:
        """The region of the cluster."""
        return self.cluster.split(":")[REGION]


def data_api_url(url: str) -> DataApiUrl | None:
    """Parse a URL of the Data API.

    Returns:
        None for a URL of another scheme.

    Raises:
        AnalysisError: The URL lacks a part.
    """
    if not url.startswith(f"{SCHEME}:"):
        return None
    parts = urlsplit(url)
    named = dict(parse_qsl(parts.query))
    arns = (named.get("cluster", ""), named.get("secret", ""))
    if not parts.netloc or not all(arn.startswith("arn:") and arn.count(":") > REGION for arn in arns):
        raise AnalysisError(f"{url} is no URL of the Data API, which is written {EXAMPLE}")
    return DataApiUrl(parts.netloc, *arns, named.get("function", ""))


def function_of(url: str) -> tuple[str, str] | None:
    """Give the name and region of the function that repairs the warehouse of a URL of the Data API.

    Returns:
        None for a URL of another scheme, over which a connection can be opened.

    Raises:
        AnalysisError: The URL of the Data API names no function, so its warehouse can only be read.
    """
    found = data_api_url(url)
    if found is None:
        return None
    if not found.function:
        raise AnalysisError("this warehouse can only be read through the Data API: add &function=NAME, or name --stage")
    return found.function, found.region
