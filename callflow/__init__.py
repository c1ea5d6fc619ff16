"""callflow: screens the callers of a contact centre beside Asterisk, so that nobody is lost in silence."""

__version__ = "0.1.0"
