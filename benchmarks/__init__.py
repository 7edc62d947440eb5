"""Benchmarks of backburner, each beside a floor that is measured in the same run."""
