"""The soak: a stack under constant load, which is broken at random, and has to lose nothing."""
