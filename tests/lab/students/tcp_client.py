# SPDX-License-Identifier: MIT
# A student's first client: says one line and prints the answer.
import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
sock.connect((sys.argv[1], int(sys.argv[2])))
sock.sendall(b"hello\n")
print(sock.recv(1024).decode(), end="")
sock.close()
