"""ctypes bindings of the libraries that Pillow brings: libwebp, libjpeg, Little CMS."""
