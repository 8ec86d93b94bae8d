"""The PostgreSQL warehouse: connection, credentials and tables."""
