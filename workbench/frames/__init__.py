"""Frames: live columns in memory, Polars frames at the edge, and recordings on disk."""
