"""Hosts on one switch: each is a network namespace, linked to a bridge in the namespace of the lab.

A cut drops packets where they arrive, so that their sender sees what it would see of a broken wire: no answer. What it has sent
already is sent again by its kernel, also after its process has ended.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import NamedTuple

from tests.chaos.lab import tap
from tests.chaos.lab.relay import Quality

NETNS = Path("/run/netns")
BRIDGE = "lab"
SUBNET = "10.77.0"
LAB_ADDRESS = f"{SUBNET}.254"
_FIREWALL = """
table inet lab {
  set dropped { type ipv4_addr; }
  set refused { type ipv4_addr; }
  chain arriving {
    type filter hook input priority 0;
    ip saddr @dropped drop
    ip saddr @refused meta l4proto tcp reject with tcp reset
  }
}
"""


class Host(NamedTuple):
    """One machine of the lab."""

    name: str
    address: str

    def command(self, *words: str) -> tuple[str, ...]:
        """Return the command that runs ``words`` on this host, in the same process."""
        return ("nsenter", f"--net={NETNS / self.name}", *words)


class Cut(NamedTuple):
    """What does not arrive."""

    senders: frozenset[Host]
    receivers: frozenset[Host]
    reset: bool


class Network:
    """The switch and its hosts. It must be made in namespaces of its own (see `isolation`)."""

    def __init__(self) -> None:
        NETNS.mkdir(exist_ok=True)
        run("mount", "-t", "tmpfs", "tmpfs", str(NETNS))  # names of hosts are this lab's own
        ip("link set lo up")
        ip(f"link add {BRIDGE} type bridge")
        ip(f"address add {LAB_ADDRESS}/24 dev {BRIDGE}")
        ip(f"link set {BRIDGE} up")
        self.hosts: dict[str, Host] = {}
        self._numbers = count(1)
        self._cuts: list[Cut] = []
        self._relays: dict[str, subprocess.Popen[bytes]] = {}

    def host(self, name: str, *, relayed: bool = False) -> Host:
        """Return the host of this name; add it if there is none. ``relayed``: `degrade` can change its link."""
        if name not in self.hosts:
            self.hosts[name] = Host(name, f"{SUBNET}.{next(self._numbers)}")
            self._add(self.hosts[name], relayed=relayed)
        return self.hosts[name]

    def remove(self, name: str) -> None:
        """Remove a host on which nothing runs any more."""
        del self.hosts[name]
        ip(f"netns delete {name}")
        relay = self._relays.pop(name, None)
        if relay is not None:
            relay.kill()
            relay.wait()

    def cut(self, senders: Iterable[Host], receivers: Iterable[Host], *, reset: bool = False) -> Cut:
        """Drop what the senders send to the receivers, or answer it with RST. The other direction stays."""
        made = Cut(frozenset(senders), frozenset(receivers), reset)
        self._cuts.append(made)
        self._apply(made.receivers)
        return made

    def reset_connections(self, host: Host) -> None:
        """End all TCP connections of a host to others, at both ends."""
        run(*host.command("ss", "-K", "dst", f"{SUBNET}.0/24"))

    def mend(self, made: Cut) -> None:
        """End one cut; what others cut stays cut."""
        if made in self._cuts:
            self._cuts.remove(made)
            self._apply(made.receivers)

    def heal(self) -> None:
        """End all cuts."""
        self._cuts.clear()
        self._apply(self.hosts.values())

    def _apply(self, receivers: Iterable[Host]) -> None:
        for receiver in receivers:
            rules = ["flush set inet lab dropped", "flush set inet lab refused"]
            for name, reset in (("dropped", False), ("refused", True)):
                cuts = (cut for cut in self._cuts if receiver in cut.receivers and cut.reset is reset)
                addresses = sorted({host.address for cut in cuts for host in cut.senders})
                if addresses:
                    rules.append(f"add element inet lab {name} {{ {', '.join(addresses)} }}")
            _nft(receiver, "; ".join(rules))

    def degrade(self, quality: Quality) -> None:
        """Give all relayed links this quality, in both directions."""
        line = json.dumps(quality._asdict()).encode() + b"\n"
        for relay in self._relays.values():
            assert relay.stdin is not None
            relay.stdin.write(line)
            relay.stdin.flush()

    def _add(self, host: Host, *, relayed: bool) -> None:
        ip(f"netns add {host.name}")
        port = f"to-{host.name}"
        if relayed:
            self._relay(host.name, port)
        else:
            ip(f"link add {port} type veth peer name eth0 netns {host.name}")
        ip(f"link set {port} master {BRIDGE} up")
        ip(f"-n {host.name} link set lo up")
        ip(f"-n {host.name} address add {host.address}/24 dev eth0")
        ip(f"-n {host.name} link set eth0 up")
        _nft(host, _FIREWALL)

    def _relay(self, name: str, port: str) -> None:
        inner, outer = tap.open_device(f"in-{name}"), tap.open_device(port)
        ip(f"link set in-{name} netns {name}")
        ip(f"-n {name} link set in-{name} name eth0")
        words = [sys.executable, "-m", "tests.chaos.lab.relay", str(inner), str(outer)]
        self._relays[name] = subprocess.Popen(words, pass_fds=(inner, outer), stdin=subprocess.PIPE)  # noqa: S603  # our own list
        for device in (inner, outer):
            os.close(device)  # so that it ends with the relay


def ip(line: str) -> None:
    """Run one command of iproute2."""
    run("ip", *line.split())


def run(*words: str, text: str | None = None) -> None:
    """Run a command that must succeed."""
    done = subprocess.run(words, check=False, input=text, capture_output=True, text=True)  # noqa: S603  # our own list
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")


def _nft(host: Host, rules: str) -> None:
    run(*host.command("nft", "-f", "-"), text=rules)
