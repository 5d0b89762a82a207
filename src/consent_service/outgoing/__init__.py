"""What the service sends of its own accord: checkpoints, webhooks and traces, each only where a setting says so."""
