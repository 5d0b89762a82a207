"""The stores: PostgreSQL, SQLite and memory behind one set of ports. No rule of consent lives here."""
