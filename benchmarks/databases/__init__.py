"""The databases that are measured: how an empty one is made, and what its bare driver does there."""
