"""The settings: their model, its documentation, its errors, and the environment as a source."""
