"""A pretend AWS for tests: calls, stacks, deployment, Lambda's runtime and least privilege."""
