"""Erasure of a person: from raw, rejects and warehouse, with a tombstone that keeps them out."""
