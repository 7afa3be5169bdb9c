"""Clients of exported models."""
