"""Errors that a user may see. Each message is a sentence that says what was wrong and what to do next."""

from __future__ import annotations


class PlaygroundError(Exception):
    """Base of all errors with a message fit for a user."""


class DocumentError(PlaygroundError):
    """A file or text could not be turned into a document."""


class ModelError(PlaygroundError):
    """A model could not be fetched, loaded or asked."""


class BundleError(ModelError):
    """A bundled model file could not be fetched, verified or stored."""


class EndpointError(ModelError):
    """An OpenAI-compatible endpoint refused, failed or fell silent; ``status`` is HTTP's, None where none came."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class EvaluationError(PlaygroundError):
    """An evaluation's input (questions, policies, run directory) cannot be used."""


class SpendingCapError(EvaluationError):
    """The next call of an evaluation could cost more than its spending cap leaves."""


class AnnotationError(PlaygroundError):
    """Annotated clauses cannot be used for training or measuring."""


class AdapterError(PlaygroundError):
    """An adapter cannot be stored, read or used with the base model at hand."""


class TrainingError(PlaygroundError):
    """A training cannot start, go on or be saved."""


class TelemetryError(PlaygroundError):
    """Spans are wanted and cannot be written or sent."""
