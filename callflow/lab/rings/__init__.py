"""The lab's phones that ring: queues, direct lines and agents, each scenario with its own, all on one Asterisk."""
