"""Measures the service beside bare uvicorn and beside the ordinary way to write it; docs/performance.md has it all."""
