"""Signals beside DNT and GPC by which a browser speaks for its user, each one file behind one small interface.

A new one is a file like `adpc.py` and a line in `registry.py` (REG-11); nothing that is stored changes its shape.
"""
