"""The use cases, one file for each family. No SQL, no HTTP framework, no settings."""
