"""Raw objects as rows: the contract's columns, and fields that only raw holds."""
