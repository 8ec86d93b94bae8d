"""What all command lines share: safe text, tables, progress, JSON, errors, and where a local stack keeps its state."""
