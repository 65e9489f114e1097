"""What there is to say of a plan while it runs and after: status, failures, logs, reasons."""
