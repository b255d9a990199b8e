"""The waiting list: joining it, proposals for all who wait at once, and what becomes of them."""
