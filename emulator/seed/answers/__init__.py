"""The exact answers of the seed, computed from what the generator knows, in plain Python, without any database."""
