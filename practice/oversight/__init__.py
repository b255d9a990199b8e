"""The administrators' console: staff, rota, documents, who did what."""
