"""The figures of docs/measurements.md and of the README, made from the JSON that the project's commands wrote.

A document calls these functions between cog's marks; ``python scripts/write_documents.py`` runs them. Nothing is
measured here: a figure that no file holds cannot be written.
"""
