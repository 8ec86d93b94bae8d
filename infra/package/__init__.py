"""Builds the deployment package of the functions as Chalice does, and refuses a package that Lambda could not run."""
