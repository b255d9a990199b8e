"""Where therapists stand in memory: contiguous columns, a shard for each place."""
