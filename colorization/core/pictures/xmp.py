"""XMP packets: their orientation, their thumbnails, and their pointer to the extended XMP of a JPEG file."""

import re

_ORIENTATION = re.compile(rb"""(tiff:Orientation\s*(?:=\s*["']|>)\s*)[2-8]""")
_THUMBNAILS = re.compile(
    rb"<xmp:Thumbnails>[^<]*+(?:<(?!/?xmp:Thumbnails>)[^<]*+)*+</xmp:Thumbnails>"  # linear in time
)
_POINTER = re.compile(rb"""(xmpNote:HasExtendedXMP\s*(?:=\s*["']|>)\s*)([0-9A-Fa-f]{32})""")
_WHOLE_POINTER = re.compile(
    rb"""\sxmpNote:HasExtendedXMP\s*=\s*(?:"[^"<]{0,99}"|'[^'<]{0,99}')"""
    rb"|<xmpNote:HasExtendedXMP>[^<]{0,99}</xmpNote:HasExtendedXMP>"
)


def upright(packet: bytes | None) -> bytes | None:
    """Set the orientation of XMP to 1, and remove the thumbnails, which show the source.

    Args:
        packet: XML, or None.

    Returns:
        The packet; None for no XMP.
    """
    return _THUMBNAILS.sub(b"", _ORIENTATION.sub(rb"\g<1>1", packet)) if packet else None


def orientation(packet: bytes | None) -> int:
    """The orientation that XMP tells.

    Args:
        packet: XML, or None.

    Returns:
        1 to 8; 1 if it tells none.
    """
    found = _ORIENTATION.search(packet or b"")
    return int(found[0][-1:]) if found else 1


def pointer(packet: bytes | None) -> bytes | None:
    """The name of the extended XMP that belongs to a packet.

    Args:
        packet: XML, or None.

    Returns:
        32 hexadecimal digits; None if there is no pointer.
    """
    found = _POINTER.search(packet or b"")
    return found[2] if found else None


def with_pointer(packet: bytes, name: bytes) -> bytes:
    """Replace the pointer to the extended XMP.

    Args:
        packet: XML with a pointer.
        name: 32 hexadecimal digits.

    Returns:
        The packet, of the same length.
    """
    return _POINTER.sub(rb"\g<1>" + name, packet)


def without_pointer(packet: bytes | None) -> bytes | None:
    """Remove the pointer to the extended XMP.

    Args:
        packet: XML, or None.

    Returns:
        The packet; None for no XMP.
    """
    return _WHOLE_POINTER.sub(b"", packet) if packet else None
