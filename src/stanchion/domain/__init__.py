"""The rules: pure functions over frozen values; time and chance are arguments."""
