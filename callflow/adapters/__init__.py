"""The edges: each adapter speaks to one outside thing and imports no other adapter."""
