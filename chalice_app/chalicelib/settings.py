"""What the environment decides, read once."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.api.cors import TRACING_HEADERS
from chalicelib.errors import SettingsError

__all__ = ["Settings"]

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Settings:
    """The settings of both Lambdas; `dw_url` carries a password and is kept out of the repr.

    Both: `RAW_BUCKET_NAME`. Ingest: `ALLOWED_ORIGINS` (comma-separated, or `*`), `ALLOWED_HEADERS` (what a page's
    requests may carry besides JSON, a key and a token: comma-separated, or `*`; by default what tracing agents add),
    `MAX_EVENT_BYTES`, `API_KEY_SHA256` (comma-separated hex digests; none: no key is asked for). Projector:
    `DW_SECRET_ARN` or `DW_PARAMETER_NAME`, which name where the warehouse's credentials are kept, or, on a laptop,
    `DW_URL`.
    """

    raw_bucket: str = "clickstream-s3-ingest"
    allowed_origins: frozenset[str] = frozenset({"*"})
    max_event_bytes: int = MEBIBYTE
    dw_url: str = field(default="", repr=False)
    dw_secret_arn: str = ""
    dw_parameter_name: str = ""
    api_keys: frozenset[str] = frozenset()
    allowed_headers: tuple[str, ...] = TRACING_HEADERS

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings; a variable that is unset or empty keeps its default. Raises SettingsError."""
        return cls(
            raw_bucket=environment.get("RAW_BUCKET_NAME") or cls.raw_bucket,
            allowed_origins=_origins(environment.get("ALLOWED_ORIGINS") or "*"),
            max_event_bytes=_positive("MAX_EVENT_BYTES", environment.get("MAX_EVENT_BYTES") or str(MEBIBYTE)),
            dw_url=environment.get("DW_URL", ""),
            dw_secret_arn=environment.get("DW_SECRET_ARN", ""),
            dw_parameter_name=environment.get("DW_PARAMETER_NAME", ""),
            api_keys=_digests("API_KEY_SHA256", environment.get("API_KEY_SHA256", "")),
            allowed_headers=_header_names("ALLOWED_HEADERS", environment.get("ALLOWED_HEADERS", "")) or TRACING_HEADERS,
        )


def _origins(text: str) -> frozenset[str]:
    """Origins as a browser spells them: lower case, no slash at the end."""
    return frozenset(origin.strip().rstrip("/").lower() for origin in text.split(",") if origin.strip())


def _header_names(name: str, text: str) -> tuple[str, ...]:
    """Names of HTTP headers, of which `*` is one to browsers. One wrong name would make browsers ignore all."""
    names = tuple(each.strip() for each in text.split(",") if each.strip())
    if not all(re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", each) for each in names):
        raise SettingsError(f"{name} must be names of HTTP headers, comma-separated, or *, not {text!r}")
    return names


def _digests(name: str, text: str) -> frozenset[str]:
    """SHA-256 digests in lower-case hex; one that is none would lock out everybody, or, if dropped, let in anybody."""
    digests = frozenset(digest.strip().lower() for digest in text.split(",") if digest.strip())
    if text.strip() and not (digests and all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests)):
        raise SettingsError(f"{name} must be SHA-256 digests in hex (64 digits each), comma-separated")
    return digests


def _positive(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise SettingsError(f"{name} must be a whole number above 0, not {text!r}")
    return int(text)
