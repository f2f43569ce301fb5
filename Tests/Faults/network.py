"""A network of its own in which every address is here: who sends anything is seen."""
import ctypes, os, select, socket, subprocess

CLONE_NEWNET = 0x40000000
ADDRESS = "169.254.169.254"


class Private:
    """While it is open, this thread and its children are in a private network name space. Needs the right to make one (root).

    Its only interface is the loopback, with 169.254.169.254 and a default route: whatever is sent, to whomever, goes through it. There, a
    packet socket sees each packet, and a server at port 80 each connection.
    """

    def __enter__(self):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        if self.libc.unshare(CLONE_NEWNET) != 0:
            os.close(self.outside)
            raise PermissionError(ctypes.get_errno(), "cannot make a network name space: run as root")
        for command in ("link set lo up", f"address add {ADDRESS}/32 dev lo", "route add default dev lo", "-6 route add default dev lo"):
            subprocess.run(["ip", *command.split()], check=True)
        self.packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.packets.bind(("lo", 0))
        self.server = socket.create_server(("", 80))
        for listening in (self.packets, self.server):
            listening.setblocking(False)
        self.seen()
        return self

    def __exit__(self, *_):
        self.packets.close()
        self.server.close()
        self.libc.setns(self.outside, CLONE_NEWNET)
        os.close(self.outside)

    def seen(self):
        """What came in since the last call: a text for each connection and packet."""
        found = []
        while select.select([self.server], [], [], 0)[0]:
            connection, sender = self.server.accept()
            connection.close()
            found.append(f"a connection from {sender[0]}")
        while select.select([self.packets], [], [], 0)[0]:
            found.append(f"a packet of {len(self.packets.recv(65536))} bytes")
        return found

    def control(self):
        """That the listener hears: a request and a lost packet of our own; a text for each that it missed."""
        with socket.create_connection((ADDRESS, 80), timeout=5):
            found = self.seen()
        if not any("connection" in what for what in found) or not any("packet" in what for what in found):
            yield f"the listener does not hear a connection: {found}"
        for family, address in ((socket.AF_INET, "203.0.113.9"), (socket.AF_INET6, "2001:db8::9")):
            with socket.socket(family, socket.SOCK_DGRAM) as stray:
                stray.sendto(b"x", (address, 53))
            if not self.seen():
                yield f"the listener does not hear a datagram to {address}"
        self.seen()
