# SPDX-License-Identifier: MIT
# Datagrams back to whoever sent them, in capitals, for ever.
import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("", int(sys.argv[1])))
while True:
    data, peer = sock.recvfrom(2048)
    sock.sendto(data.upper(), peer)
