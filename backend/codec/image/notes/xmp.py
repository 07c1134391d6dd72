"""XMP packets (ISO 16684-1): what they say about rights, and a packet of that alone."""

from __future__ import annotations

import re
from xml.etree import ElementTree

_RDF, _META, _XML = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "adobe:ns:meta/", "http://www.w3.org/XML/1998/namespace"
_DC, _PHOTOSHOP = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/photoshop/1.0/"
_RIGHTS_NAMESPACES = ("http://ns.adobe.com/xap/1.0/rights/", "http://creativecommons.org/ns#", "http://ns.useplus.org/ldf/xmp/1.0/")
_PREFIXES = {"x": _META, "rdf": _RDF, "dc": _DC, "photoshop": _PHOTOSHOP, **dict(zip(("xmpRights", "cc", "plus"), _RIGHTS_NAMESPACES, strict=True))}
RIGHTS, CREATOR = f"{{{_DC}}}rights", f"{{{_DC}}}creator"
_CREDIT = f"{{{_PHOTOSHOP}}}Credit"
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
"""No XMP has one (ISO 16684-1 §7.1); with one, a small packet can grow without end."""

for _prefix, _namespace in _PREFIXES.items():
    ElementTree.register_namespace(_prefix, _namespace)


def rights_in(packet: bytes) -> list[ElementTree.Element]:
    """The properties that say whose the picture is and what one may do with it; none where the packet cannot be read."""
    if not packet or _DECLARATION.search(packet):
        return []
    try:
        root = ElementTree.fromstring(packet.strip(b"\0 \t\r\n"))
    except (ElementTree.ParseError, ValueError, LookupError):
        return []
    return [each for description in root.iter(f"{{{_RDF}}}Description") for each in _properties(description) if _is_about_rights(each.tag)]


def _properties(description: ElementTree.Element) -> list[ElementTree.Element]:
    """Simple properties may be written as attributes (§7.9.2.2)."""
    simple = []
    for name, value in description.attrib.items():
        element = ElementTree.Element(name)
        element.text = value
        simple.append(element)
    return simple + list(description)


def _is_about_rights(name: str) -> bool:
    return name in (RIGHTS, CREATOR, _CREDIT) or name[1:].partition("}")[0] in _RIGHTS_NAMESPACES


def packet_of(properties: list[ElementTree.Element]) -> bytes:
    """Empty bytes for none."""
    if not properties:
        return b""
    root = ElementTree.Element(f"{{{_META}}}xmpmeta")
    description = ElementTree.SubElement(ElementTree.SubElement(root, f"{{{_RDF}}}RDF"), f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": ""})
    description.extend(properties)
    return bytes(ElementTree.tostring(root, encoding="utf-8"))


def text_of(properties: list[ElementTree.Element], name: str) -> str:
    """The property's text: of an alternative in several languages the default one, of a list all of it, separated by semicolons."""
    for element in properties:
        if element.tag == name:
            items = [each for each in element.iter(f"{{{_RDF}}}li") if (each.text or "").strip()]
            default = [each for each in items if each.get(f"{{{_XML}}}lang") == "x-default"]
            texts = [(each.text or "").strip() for each in default or items] or [(element.text or "").strip()]
            return "; ".join(texts)
    return ""
