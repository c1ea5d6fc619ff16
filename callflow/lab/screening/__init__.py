"""Screened callers in the lab: one scenario folder each, called at the same time, judged from the wire."""
