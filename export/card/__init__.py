"""The model card, and what it reports."""
