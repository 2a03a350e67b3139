"""What a dataset is and what is wrong with it."""
