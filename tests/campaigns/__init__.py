"""Campaigns: long runs that print figures. The tests of the same name run them in a short form."""
