"""A person looks at a match again: asked, taken back, answered."""
