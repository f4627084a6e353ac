"""Purchases and what they are awarded; payment refunds and what they claw back."""
