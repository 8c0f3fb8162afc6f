"""Messages on the wire. Byte formats and versions come with the protocol's own chapter; here are the messages."""
