"""PNG and APNG (third edition of the specification): the walk over a file's chunks, the pixels of one image in it, and what stands beside them.

====================  ==========================================================================================
``chunks``            where each chunk lies, and its contents if its checksum is right
``structure``         what the chunks say, as far as it counts: the header, the colours, the notes, the animation
``animation``         which frames there are, and where (acTL, fcTL)
``image_data``        the compressed pixels of one image, from consecutive IDAT or fdAT chunks
``pixels``            from these to Pillow's pixels
``notes``, ``icc``    EXIF, XMP, IPTC and Content Credentials; the colour profile
====================  ==========================================================================================

A broken or large ancillary chunk costs what it says, and never the picture. What the pixels need must be whole, or the file is damaged.
"""
