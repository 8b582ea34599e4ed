"""TAP devices: network interfaces whose frames a process reads and writes through a file descriptor."""

import fcntl
import os
import struct

_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000


def open_device(name: str) -> int:
    """Make a TAP device; return its file descriptor, which stays valid when the device moves to another namespace."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    return device
