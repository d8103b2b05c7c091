"""Shells round the cores: the engine process, the feed over WebSocket, replay, the market simulator."""
