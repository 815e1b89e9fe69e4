"""Bytes or pasted text -> ``Document``: normalised text, its structure with exact offsets, and its pages.

``load_document`` recognises the format by content first and by suffix second. PDF, DOCX, HTML and Markdown are parsed
in a child process with a bound on time and memory (``isolation``, ``worker``); plain text is scanned in this process
in linear time. Nothing is executed, rendered or fetched.

``Document.source`` and ``Document.title`` come from the user's file: show them as plain text, never as Markdown or
HTML.
"""

from playground.documents.limits import CONTRACT_LIMITS, POLICY_LIMITS, Limits
from playground.documents.load import SUPPORTED_SUFFIXES, load_document, load_generated, load_pasted

__all__ = [
    "CONTRACT_LIMITS",
    "POLICY_LIMITS",
    "SUPPORTED_SUFFIXES",
    "Limits",
    "load_document",
    "load_generated",
    "load_pasted",
]
