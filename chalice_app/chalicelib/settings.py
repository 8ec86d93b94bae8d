"""What the environment decides, read once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.errors import SettingsError

__all__ = ["Settings"]

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Settings:
    """The settings of both Lambdas; `dw_url` carries a password and is kept out of the repr.

    `RAW_BUCKET_NAME`, `ALLOWED_ORIGINS` (comma-separated, or `*`), `MAX_EVENT_BYTES`, `DW_URL` (projector only).
    """

    raw_bucket: str = "clickstream-s3-ingest"
    allowed_origins: frozenset[str] = frozenset({"*"})
    max_event_bytes: int = MEBIBYTE
    dw_url: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings; a variable that is unset or empty keeps its default. Raises SettingsError."""
        return cls(
            raw_bucket=environment.get("RAW_BUCKET_NAME") or cls.raw_bucket,
            allowed_origins=_origins(environment.get("ALLOWED_ORIGINS") or "*"),
            max_event_bytes=_positive("MAX_EVENT_BYTES", environment.get("MAX_EVENT_BYTES") or str(MEBIBYTE)),
            dw_url=environment.get("DW_URL", ""),
        )


def _origins(text: str) -> frozenset[str]:
    """Origins as a browser spells them: lower case, no slash at the end."""
    return frozenset(origin.strip().rstrip("/").lower() for origin in text.split(",") if origin.strip())


def _positive(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise SettingsError(f"{name} must be a whole number above 0, not {text!r}")
    return int(text)
