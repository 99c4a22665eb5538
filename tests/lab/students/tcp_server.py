# SPDX-License-Identifier: MIT
# A student's first server: one client, its bytes back in capitals.
import socket
import sys

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind(("", int(sys.argv[1])))
listener.listen()
conn, peer = listener.accept()
while data := conn.recv(1024):
    conn.sendall(data.upper())
conn.close()
