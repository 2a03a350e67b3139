"""Judges one model on labelled images that it was not trained on."""
