"""The HTTP server: jobs, live streams and the dashboard over one app."""
