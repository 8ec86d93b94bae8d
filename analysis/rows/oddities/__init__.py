"""What is odd about the members of an event: missing, unknown and lost ones, and rounded prices."""
