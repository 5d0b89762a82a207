"""Consent receipts: what a visitor, or a regulator, receives about one event, in two published forms."""
