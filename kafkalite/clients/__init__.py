"""What talks to brokers. Clients know the protocol and their parts; they never import the broker."""
