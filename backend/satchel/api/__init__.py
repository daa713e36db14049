"""The HTTP API on localhost: native controllers, the MemOS-compatible adapter, and the guard in front of both."""
