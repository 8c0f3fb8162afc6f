"""The controller: the one broker that decides who leads, where replicas are placed and when a topic is gone."""
