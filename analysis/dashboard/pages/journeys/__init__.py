"""The pages that follow visitors over time: from day to day, and from page to page."""
