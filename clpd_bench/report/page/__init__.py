"""report.html, one page by itself for a reader who was not there."""
