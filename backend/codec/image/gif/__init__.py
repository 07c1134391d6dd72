"""GIF: where its images lie, and their pixels as palette indexes."""
