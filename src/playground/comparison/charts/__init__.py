"""Figures of the comparison -> plotly charts."""
