"""What validation needs of an event besides the lake's other columns: what is odd about it, and which address sent it.

IP addresses stay in raw. The table has a keyed hash of each, by which events of the same address are known; whoever has
both the table and the key can find an address by trying all. The key lies beside the records of hours, where nobody
has to read who only queries the table.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_bytes
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from analysis.raw.objects import Batch
from analysis.rows.fields import fields_named
from analysis.rows.oddities.batch import Oddities, oddities_of_batch
from analysis.rows.oddities.judging import KEPT, LISTED, OBJECTS, REQUIRED, REQUIRED_BY_NAME
from analysis.rows.projection import Decoded

if TYPE_CHECKING:
    from obstore.store import LocalStore, S3Store

__all__ = ["ADDRESS", "EVIDENCE_COLUMNS", "ODDITIES", "SENDER", "Evidence", "read_oddities"]

ADDRESS, ODDITIES = "address_hash", "oddities"
EVIDENCE_COLUMNS: Mapping[str, pl.DataType] = {ADDRESS: pl.String(), ODDITIES: pl.String()}
# The raw field that the hash is made of.
(SENDER,) = fields_named(["source_ip"])
# Counts up with every change of what is odd that the members of the contract do not show.
VERSION = 1
KEY_NAME = "hours/address.key"
KEY_BYTES = 32
HASH_BYTES = 12  # of which no two addresses have the same
_RULES = (
    VERSION,
    sorted(LISTED),
    OBJECTS,
    REQUIRED,
    sorted(REQUIRED_BY_NAME.items()),
    [(field.name, field.type, field.sources) for field in KEPT],
)


@dataclass(frozen=True)
class Evidence:
    """How evidence is made: by the key of one lake, and the rules of this code.

    Attributes:
        key: The key of the addresses' hashes.
    """

    key: bytes

    @classmethod
    def read(cls, store: "LocalStore | S3Store") -> "Evidence | None":
        """Read the key of a lake; None if it has none."""
        try:
            key = bytes(store.get(KEY_NAME).bytes())
        except FileNotFoundError:
            return None
        return cls(key) if len(key) == KEY_BYTES else None

    @classmethod
    def made(cls, store: "LocalStore | S3Store") -> "Evidence":
        """Read the key of a lake. A lake that has none, or a damaged one, gets a new key."""
        from obstore.exceptions import AlreadyExistsError

        if (found := cls.read(store)) is not None:
            return found
        with suppress(AlreadyExistsError):  # of another writer
            store.put(KEY_NAME, token_bytes(KEY_BYTES), mode="create")
        if (found := cls.read(store)) is None:
            found = cls(token_bytes(KEY_BYTES))
            store.put(KEY_NAME, found.key)
        return found

    @property
    def mark(self) -> str:
        """What the record of an hour keeps: evidence that was made by another key, or by other rules, says nothing."""
        return hashlib.sha256(repr((self.key, _RULES)).encode()).hexdigest()[:16]

    def hashes(self, addresses: pl.Series) -> pl.Series:
        """Give the hash of each address; null where there is none."""
        known = addresses.unique().drop_nulls()
        made = pl.Series([self._hash(address) for address in known], dtype=pl.String)
        return addresses.replace_strict(known, made, default=None, return_dtype=pl.String)

    def added(self, rows: pl.DataFrame, batch: Batch, decoded: Decoded, price_decimals: int) -> pl.DataFrame:
        """Put evidence in place of addresses.

        Args:
            rows: The rows of a batch, with `key` and SENDER.
            batch: Keys and bodies.
            decoded: What `Projection.together` gave of the batch.
            price_decimals: How many decimals prices keep.
        """
        keys, bodies = batch
        odd = oddities_of_batch(bodies, decoded, price_decimals)
        texts = pl.DataFrame(
            {"key": [keys[place] for place in odd], ODDITIES: [each.text for each in odd.values()]},
            {"key": pl.String, ODDITIES: pl.String},
        )
        hashed = rows.with_columns(self.hashes(rows[SENDER.name]).alias(ADDRESS)).drop(SENDER.name)
        return hashed.join(texts, "key", how="left", maintain_order="left")

    def _hash(self, address: str) -> str:
        return base64.urlsafe_b64encode(hmac.digest(self.key, address.encode(), "sha256")[:HASH_BYTES]).decode()


def read_oddities(texts: pl.Series) -> dict[str, Oddities]:
    """Read the column ODDITIES: what each distinct text says.

    Raises:
        ValueError: A text is not one that was written here.
    """
    decode = msgspec.json.Decoder(Oddities).decode
    return {text: decode(text) for text in texts.unique().drop_nulls()}
