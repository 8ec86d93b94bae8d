"""Deployment: the Python programs that infra/deploy.sh calls, the cost model, and the audit of the requirements."""
