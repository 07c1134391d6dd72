"""The forms of answers: JSON, pages, files, event streams, problems; and the headers of all."""
