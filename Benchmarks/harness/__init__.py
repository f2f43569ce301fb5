"""Paired, repeated measurement of commands: CPU seconds, wall time, peak memory; ours against peers."""
