"""The lab: a real Asterisk with real SIP and RTP callers, for tests, the demo and benchmarks."""
