"""Episodes of care and the caseload."""
