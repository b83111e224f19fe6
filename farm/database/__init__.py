"""Tables, engine, migrations, the one writer, and the event log."""
