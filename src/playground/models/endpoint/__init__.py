"""Chat models behind an OpenAI-compatible address."""
