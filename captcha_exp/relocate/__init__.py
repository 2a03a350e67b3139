"""Lets a project whose folder was moved, renamed or copied find its models and files again."""
