"""How much of a visitor's address is stored, as `STORE_IP` says."""

from ipaddress import IPv6Address, ip_address, ip_network

__all__ = ["KEPT", "stored_address"]

# The values of STORE_IP.
KEPT = ("full", "truncated", "none")
# Bits that are kept of a truncated address: a network, which no longer tells its households apart.
BITS = {4: 24, 6: 48}


def stored_address(address: str | None, kept: str) -> str | None:
    """Return what is stored of an address.

    Args:
        address: What API Gateway saw; None if it saw no address.
        kept: `full`, `truncated` (the network: /24 of IPv4, /48 of IPv6) or `none`.

    Returns:
        The address or its network; None if `kept` is `none`, or if text without a network should be truncated.
    """
    if kept == "full" or address is None:
        return address
    if kept == "none":
        return None
    try:
        whole = ip_address(address)
        if isinstance(whole, IPv6Address) and whole.ipv4_mapped:
            whole = whole.ipv4_mapped
        return str(ip_network(f"{whole}/{BITS[whole.version]}", strict=False).network_address)
    except ValueError:
        return None
