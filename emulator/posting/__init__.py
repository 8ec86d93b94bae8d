"""Posts events to a collector and reads its responses, for replay, shoppers and soak."""
