# SPDX-License-Identifier: MIT
# A process for each client; both close what is not theirs.
import os
import signal
import socket
import sys

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.create_server(("", int(sys.argv[1])))
while True:
    conn, peer = listener.accept()
    if os.fork() == 0:
        listener.close()
        while data := conn.recv(1024):
            conn.sendall(data.upper())
        conn.close()
        os._exit(0)
    conn.close()
