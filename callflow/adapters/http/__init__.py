"""What programs ask us over HTTP: Prometheus' metrics, and whether we are alive and ready."""
