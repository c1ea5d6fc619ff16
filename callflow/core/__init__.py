"""The pure core: events in, commands out; it never reads a clock, a socket or a file.

`Engine.receive(event, now_ms)` and `Engine.expire(now_ms)` return commands, `Engine.next_deadline()` says when to call
`expire` next. Times are integer milliseconds since the epoch.
"""
