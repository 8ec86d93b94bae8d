"""The clickstream contract, and the Lambdas that work by it: ingest, projector, operations and reconciler."""
