"""How fast each sender may go: what carriers allow, the buckets that hold it, and the use of the day."""
