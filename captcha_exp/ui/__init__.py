"""The command that shows the runs of a folder in the pages of MLflow."""
