"""People: who may do what, who they are, and how their data is sealed, found and shown."""
