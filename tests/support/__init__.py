"""What tests of every room may use: real servers, a real browser, free ports."""
