"""The pure core: what consent is and what follows from it. No clock, no ids, no I/O, standard library only."""
