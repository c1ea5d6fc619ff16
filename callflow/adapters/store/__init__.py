"""Call records in an embedded SQLite database: `store` writes for the daemon, `queries` reads for everybody else."""
