"""Screens over billing, receipts and the webhook."""
