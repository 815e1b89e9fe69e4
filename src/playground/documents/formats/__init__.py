"""One file a format: bytes -> text, blocks and pages. Runs in the child process that ``isolation`` starts."""
