import socket
import threading

import pytest

from command_line.errors import CommandError
from emulator.servers.ports import free_ports, require_free


class TestRequireFree:
    def test_a_free_port_is_fine(self) -> None:
        """And is still free afterwards."""
        (port,) = free_ports(1)
        require_free({"--web-port": port})
        require_free({"--web-port": port})

    def test_a_busy_port_is_named_with_its_holder(self) -> None:
        """And with the option that would choose another."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            message = (
                rf"port {port} is in use by .*python.* \(process \d+\): free it, or choose another with --web-port"
            )
            with pytest.raises(CommandError, match=message):
                require_free({"--web-port": port})

    def test_a_port_whose_holder_is_on_its_way_out_is_waited_for(self) -> None:
        """As after `kill -9`: the process is gone, and its socket for a moment not."""
        server = socket.create_server(("127.0.0.1", 0))
        threading.Timer(0.2, server.close).start()
        require_free({"--web-port": server.getsockname()[1]})
        assert server.fileno() == -1

    def test_one_port_for_two_servers_is_refused(self) -> None:
        """Before the second one fails on it."""
        with pytest.raises(CommandError, match="--web-port, --s3-port must be different ports"):
            require_free({"--web-port": 9000, "--s3-port": 9000})


class TestFreePorts:
    def test_they_are_free_and_differ(self) -> None:
        """And are none that a client could have by chance, and keep."""
        ports = free_ports(50)
        require_free({str(port): port for port in ports})
        assert all(port < 32_000 for port in ports)
