"""Money: payers, amounts and opaque references. Never a clinical fact."""
