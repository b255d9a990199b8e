"""What the engine is told: everybody who can be found, a client's values, weights and prices."""
