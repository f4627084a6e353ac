"""The gateway's door: who may come in, how much at once, how fast. All of it is decided before a body is read."""
