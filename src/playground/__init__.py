"""Prompt engineering against fine-tuning, measured on the machine at hand.

The library behind the Streamlit app and the command line. Nothing outside ``playground.ui`` imports Streamlit.
"""
