"""Plain builders, one file a room: what a test does not say gets a believable value."""
