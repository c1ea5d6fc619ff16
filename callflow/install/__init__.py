"""`callflow install` and `uninstall`: find Asterisk, plan what is to be written, write it, and remember it."""
