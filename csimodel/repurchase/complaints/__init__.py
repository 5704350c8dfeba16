"""Complaints and repurchase."""
