"""The stack as a whole: it is run, supervised, broken on purpose, and emptied."""
