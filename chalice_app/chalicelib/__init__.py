"""Ingest and projection: the clickstream contract and what the two Lambdas do with it."""
