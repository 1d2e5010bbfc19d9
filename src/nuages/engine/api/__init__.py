"""What the command line and the dashboard call: JSON over HTTP on a Unix socket."""
