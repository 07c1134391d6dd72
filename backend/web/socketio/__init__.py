"""The Socket.IO events, and how they are sent."""
