"""The messages between server, slave, client and peer. Nobody else defines messages."""
