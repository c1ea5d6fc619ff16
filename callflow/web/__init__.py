"""The page in the browser: live state, stored calls, reports. It never acts on a call."""
