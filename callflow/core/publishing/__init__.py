"""What leaves the daemon: records as events, live figures as states, alerts. Pure: time and key are arguments."""
