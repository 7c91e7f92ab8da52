"""The local server: the studio over HTTP and WebSocket, for this machine alone."""
