"""What several tests use: stacks, collectors, browsers, payloads and pretend clouds."""
