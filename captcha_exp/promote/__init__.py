"""From finished runs to the model in use: choose a run, judge its model, move the aliases."""
