# SPDX-License-Identifier: MIT
# One datagram there, one back; waits for ever if either is lost.
import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.sendto(b"hello\n", (sys.argv[1], int(sys.argv[2])))
data, peer = sock.recvfrom(2048)
print(data.decode(), end="")
sock.close()
