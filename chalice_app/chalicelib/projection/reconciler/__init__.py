"""The reconciler: finds raw objects that have no row, projects them, and records how far each hour is complete."""
