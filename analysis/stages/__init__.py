"""Deployed stages: where their parts are, and how commands on a laptop reach a warehouse in a VPC."""
