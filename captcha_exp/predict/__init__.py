"""Image files in, a line of text for each out."""
