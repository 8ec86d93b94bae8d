"""From events of S3 and SQS to rows: what calls the projector, which objects it names, and how they are projected."""
