"""Put the warehouse right: backfill, rejects, redrive, erase, upgrade."""
