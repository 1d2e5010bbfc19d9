"""What the charm tells Prometheus, Loki and Grafana about the application."""
