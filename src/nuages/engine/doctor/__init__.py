"""What this machine can and cannot do: found by trying (`trials`), then put into words (`findings`)."""
