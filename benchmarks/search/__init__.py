"""How many epochs a search spends until it has found something good, by method, on recorded learning curves."""
