"""The lab's callers who are screened: a scenario folder each, placed side by side, judged from the wire."""
