"""What the scripts that measure extraction share."""
