"""Label the images of a folder on a page, those first that a model learns most from."""
