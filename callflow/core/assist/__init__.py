"""Assistance in a talk: a pure core. It hears who speaks, asks the caller, tells the agent, frees the agent."""
