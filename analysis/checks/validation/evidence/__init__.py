"""What a validation knows: objects and rows on disk, in parts that fit in memory."""
