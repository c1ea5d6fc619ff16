"""Service figures from counts: service level, waiting, abandonment, occupancy, and how many agents a load needs."""
