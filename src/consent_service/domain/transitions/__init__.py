"""From one consent record to the next, with the events that say what happened. Pure: clock and ids are arguments."""
