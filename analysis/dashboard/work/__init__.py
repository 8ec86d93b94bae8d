"""Long work of the dashboard: done once for all who ask, and shown while it lasts."""
