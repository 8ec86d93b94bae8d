"""Deployment: what infra/deploy.sh needs besides the AWS CLI and Chalice."""
