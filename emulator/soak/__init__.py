"""The soak: injects random faults into a stack under constant load, and proves that no event is lost."""
