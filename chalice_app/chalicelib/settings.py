"""Reads the settings of the Lambdas from the environment."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.api.address import KEPT
from chalicelib.api.cors import TRACING_HEADERS
from chalicelib.errors import SettingsError

__all__ = ["TRIGGERS", "Settings", "price_decimals"]

MEBIBYTE = 1024 * 1024
MOST_PRICE_DECIMALS = 6
TRIGGERS = ("s3", "sqs")


@dataclass(frozen=True)
class Settings:
    """The settings of the Lambdas. The reconciler has those of the projector.

    Attributes:
        raw_bucket: `RAW_BUCKET_NAME`, for all Lambdas.
        allowed_origins: `ALLOWED_ORIGINS`, for ingest: comma-separated, or `*`.
        allowed_headers: `ALLOWED_HEADERS`, for ingest: further headers that a page's requests may carry besides JSON, a
            key and a token; comma-separated, or `*`. By default, the headers that tracing agents add.
        max_event_bytes: `MAX_EVENT_BYTES`, for ingest.
        dw_url: `DW_URL`, for the projector on a laptop. It contains a password, so the repr leaves it out.
        dw_secret_arn: `DW_SECRET_ARN`, for the projector: the secret with the warehouse's credentials.
        dw_parameter_name: `DW_PARAMETER_NAME`, for the projector: the parameter with the warehouse's credentials.
        dw_writer_secret_arn: `DW_WRITER_SECRET_ARN`, for the operations function, which makes the projector's user.
        dw_reader_secret_arn: `DW_READER_SECRET_ARN`, for the operations function, which makes the analysts' user.
        api_keys: `API_KEY_SHA256`, for ingest: comma-separated SHA-256 digests in hex; if empty, no key is required.
        price_decimals: `PRICE_DECIMALS`, for the projector: how many decimals the warehouse's prices keep.
        metrics_namespace: `METRICS_NAMESPACE`, for the reconciler: where its metrics are in CloudWatch.
        store_ip: `STORE_IP`, for ingest: how much of a visitor's address is kept, `full`, `truncated` or `none`.
        dw_may_pause: `DW_MAY_PAUSE` (`yes` or `no`), for the projector: the warehouse sleeps when nobody is connected.
        trigger: `TRIGGER`, for all Lambdas, since all import what registers it: `s3` or `sqs`, what calls the
            projector.
    """

    raw_bucket: str = "clickstream-s3-ingest"
    allowed_origins: frozenset[str] = frozenset({"*"})
    max_event_bytes: int = MEBIBYTE
    dw_url: str = field(default="", repr=False)
    dw_secret_arn: str = ""
    dw_parameter_name: str = ""
    api_keys: frozenset[str] = frozenset()
    allowed_headers: tuple[str, ...] = TRACING_HEADERS
    price_decimals: int = 0
    dw_writer_secret_arn: str = ""
    dw_reader_secret_arn: str = ""
    metrics_namespace: str = "clickstream"
    store_ip: str = "full"
    dw_may_pause: bool = False
    trigger: str = "s3"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings; an unset or empty variable keeps its default. Raises SettingsError."""
        return cls(
            raw_bucket=environment.get("RAW_BUCKET_NAME") or cls.raw_bucket,
            allowed_origins=_origins(environment.get("ALLOWED_ORIGINS") or "*"),
            max_event_bytes=_positive("MAX_EVENT_BYTES", environment.get("MAX_EVENT_BYTES") or str(MEBIBYTE)),
            dw_url=environment.get("DW_URL", ""),
            dw_secret_arn=environment.get("DW_SECRET_ARN", ""),
            dw_parameter_name=environment.get("DW_PARAMETER_NAME", ""),
            api_keys=_digests("API_KEY_SHA256", environment.get("API_KEY_SHA256", "")),
            allowed_headers=_header_names("ALLOWED_HEADERS", environment.get("ALLOWED_HEADERS", "")) or TRACING_HEADERS,
            price_decimals=price_decimals(environment),
            dw_writer_secret_arn=environment.get("DW_WRITER_SECRET_ARN", ""),
            dw_reader_secret_arn=environment.get("DW_READER_SECRET_ARN", ""),
            metrics_namespace=environment.get("METRICS_NAMESPACE") or cls.metrics_namespace,
            store_ip=_word("STORE_IP", environment.get("STORE_IP") or "full", KEPT),
            dw_may_pause=_word("DW_MAY_PAUSE", environment.get("DW_MAY_PAUSE") or "no", ("yes", "no")) == "yes",
            trigger=_word("TRIGGER", environment.get("TRIGGER") or cls.trigger, TRIGGERS),
        )


def price_decimals(environment: Mapping[str, str] = os.environ) -> int:
    """Read `PRICE_DECIMALS` alone; 0 if it is unset or empty. Raises SettingsError."""
    text = environment.get("PRICE_DECIMALS") or "0"
    if not (len(text) == 1 and "0" <= text <= str(MOST_PRICE_DECIMALS)):
        raise SettingsError(f"PRICE_DECIMALS must be a whole number from 0 to {MOST_PRICE_DECIMALS}, not {text!r}")
    return int(text)


def _origins(text: str) -> frozenset[str]:
    """Spell origins as a browser does: lower case, without a slash at the end."""
    return frozenset(origin.strip().rstrip("/").lower() for origin in text.split(",") if origin.strip())


def _header_names(name: str, text: str) -> tuple[str, ...]:
    """Names of HTTP headers, of which `*` is one to browsers. One wrong name would make browsers ignore all."""
    names = tuple(each.strip() for each in text.split(",") if each.strip())
    if not all(re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", each) for each in names):
        raise SettingsError(f"{name} must be names of HTTP headers, comma-separated, or *, not {text!r}")
    return names


def _digests(name: str, text: str) -> frozenset[str]:
    """Read SHA-256 digests. A mistyped one is an error: it would lock clients out, or, if dropped, let everybody in."""
    digests = frozenset(digest.strip().lower() for digest in text.split(",") if digest.strip())
    if text.strip() and not (digests and all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests)):
        raise SettingsError(f"{name} must be SHA-256 digests in hex (64 digits each), comma-separated")
    return digests


def _word(name: str, text: str, known: Sequence[str]) -> str:
    if text not in known:
        raise SettingsError(f"{name} must be {', '.join(known[:-1])} or {known[-1]}, not {text!r}")
    return text


def _positive(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise SettingsError(f"{name} must be a whole number above 0, not {text!r}")
    return int(text)
