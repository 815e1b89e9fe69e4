"""Closed-book LoRA: the policy's facts trained into the weights, which the article says not to do, measured.

The pairs are questions in other words than the evaluation's, with the policy's own sentences as answers; a fact in
which two versions of the policy differ has an answer for each. The model then answers without any text.
"""
