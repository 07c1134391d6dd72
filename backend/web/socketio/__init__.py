"""The Socket.IO events: their handlers, and how they are sent."""
