"""The deployment package of the functions: built as Chalice builds it, and refused where it would not run in Lambda."""
