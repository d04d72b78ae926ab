"""API keys: their format, what is stored of them, and what they allow."""
