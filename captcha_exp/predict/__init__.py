"""Read image files, and print a line for each."""
