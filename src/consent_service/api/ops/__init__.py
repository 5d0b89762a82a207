"""The dashboard for staff at `/ops`: pages written here, without a script, a frame or another host."""
