"""The HTTP planes: thin functions from a request to a use case and back."""
