"""One model judged on labelled images that it was not trained on."""
