"""The dashboard: pages of figures, charts and tables that anybody can filter, compare and send to others."""
