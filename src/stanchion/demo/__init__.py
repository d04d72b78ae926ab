"""The demo: a list of sprite prompts, and a procedural generator that draws them without a model."""
