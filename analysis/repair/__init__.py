"""Make it right: backfill, rejects, redrive, erase."""
