"""What turns the pure core into a running daemon: a clock, a loop with one timer, and the dispatch of commands."""
