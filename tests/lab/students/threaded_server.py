# SPDX-License-Identifier: MIT
# A thread for each client, by Python's own framework.
import socketserver
import sys


class Capitals(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(1024):
            self.request.sendall(data.upper())


server = socketserver.ThreadingTCPServer(("", int(sys.argv[1])), Capitals)
server.serve_forever()
