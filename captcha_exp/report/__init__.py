"""The report of one sweep or several, as a single HTML page."""
