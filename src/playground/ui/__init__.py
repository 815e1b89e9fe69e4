"""The pages, one folder each, and what they share. Nothing else imports Streamlit."""
