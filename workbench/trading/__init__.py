"""Orders: their states, and (in time) matching, account and risk: one engine for paper, replay and backtest."""
