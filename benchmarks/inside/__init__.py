"""What runs inside a contender's own interpreter: standard library only, importable by bare module name."""
