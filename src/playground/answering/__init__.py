"""A question -> an answer from the text: prompt, citations, abstention, arithmetic, and versions of a policy."""
