"""The agent on a render machine: leases frames, renders them in open sessions, sends them home."""
