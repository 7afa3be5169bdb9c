"""Convolution layers, and the implementations that they choose between."""
