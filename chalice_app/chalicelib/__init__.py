"""The clickstream contract, and the two Lambdas that work by it: ingest and projector."""
