"""From finished runs to the model in use: choose, judge, move the aliases."""
