"""Stanchion and the other queues on SQLite, measured side by side in one run."""
