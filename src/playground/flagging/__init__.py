"""Clauses -> scores -> flags: encoders with an adapter, baselines, calibration, and similar clauses as evidence."""
