"""Asterisk's manager interface: the link, the actions sent over it, and the translation of its events."""
