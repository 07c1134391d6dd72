"""DIB, the picture within BMP and ICO: its pixels."""
