"""Workers: they claim jobs from a store and perform them. They know the ports of the core, never a store."""
