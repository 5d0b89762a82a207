"""What a visitor's decisions mean in the words of each ad platform: pure functions of the decision state.

`state.py` makes the state; each platform is one file; `formats.py` lists them by their name in the HTTP contract. No
output ever allows more than the decisions it is made of (OUT-12).
"""
