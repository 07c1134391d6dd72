"""What every answer shares: files, headers, problems."""
