"""Runnable measurements of speed; results.md holds what they wrote."""
