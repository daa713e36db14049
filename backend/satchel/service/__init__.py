"""Satchel started by the computer itself: a systemd user unit, a macOS LaunchAgent or a Windows scheduled task."""
