"""The report: the pages of the dashboard in one file, which needs neither a server nor a network."""
