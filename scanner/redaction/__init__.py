"""Copies without the secrets: what replaces one, and where it is applied (bytes, streams, files)."""
