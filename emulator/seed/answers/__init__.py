"""Computes the exact answers of the seed from the generator's records, in plain Python and without a database."""
