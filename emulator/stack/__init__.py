"""The stack as a whole: runs it, supervises it, injects faults into it, and resets it."""
