"""Which sender of a pool carries a text to a person, and how well the accounts behind them work."""
