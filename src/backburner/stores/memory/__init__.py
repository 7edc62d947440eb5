"""The memory store: jobs in this process, gone with it. The specification of every other store."""
